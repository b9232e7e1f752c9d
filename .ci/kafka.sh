#!/usr/bin/env bash
# A real single-node Apache Kafka (KRaft, from Maven Central's jars) for the tests of the kafka plugins.
#
#   kafka.sh up                     fetch the jars, make stores and users, format new storage, start; waits until it serves
#   kafka.sh stop | kill | start    stop (SIGTERM), kill (SIGKILL) or start the broker again with its data: an outage
#   kafka.sh down                   stop the broker and forget its data; jars and stores stay
#   kafka.sh jars                   fetch the jars and do nothing else
#   kafka.sh topic NAME PARTITIONS  create a topic
#   kafka.sh env                    print what the integration tests read, for `eval "$(.ci/kafka.sh env)"`
#
# Needs JDK 17+ (java, keytool), mvn and openssl. Settings, from the environment:
#   KAFKA_HOST (127.0.0.1)  address of all listeners     KAFKA_PORT (19092)  first of seven consecutive ports
#   KAFKA_DIR (/tmp/kafka-ci)  everything is in here     KAFKA_LIBS ($KAFKA_DIR/libs)  the jars, to share between brokers
#   KAFKA_LISTENERS=plain      only the plaintext listener: no stores, no users, starts sooner
#
# Listeners, from KAFKA_PORT on:
#   +0 PLAINTEXT   +1 the controller   +2 SASL_PLAINTEXT   +3 SSL   +4 SASL_SSL   +5 SSL that demands a client certificate
#   +6 SSL with a certificate for another host
# SASL users: alice / alice-secret with PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512; with OAUTHBEARER whoever an unsigned token
# names, where its scope is kafka. Every store's password is store-secret;
# the JKS client key's own password and the PEM key's password is key-secret. In $KAFKA_DIR/stores:
#   trust.jks trust.p12 trust-legacy.p12 ca.pem     the CA alone         other-trust.jks     a CA that signed nothing here
#   client.jks client.p12 client-legacy.p12 client.pem    a client's key and chain; the legacy ones are RC2/3DES encrypted
set -euo pipefail

host=${KAFKA_HOST:-127.0.0.1}
port=${KAFKA_PORT:-19092}
dir=${KAFKA_DIR:-/tmp/kafka-ci}
libs=${KAFKA_LIBS:-$dir/libs}
stores=$dir/stores
version=4.4.0
java=(java "-Xmx${KAFKA_HEAP:-512m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$dir/log4j2.yaml")
export CLASSPATH="$libs/*"

fetch_jars() {
  [ -e "$libs/kafka_2.13-$version.jar" ] && return
  mkdir -p "$dir/maven"
  cat > "$dir/maven/pom.xml" <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>ci</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.5</version></dependency>
  </dependencies>
</project>
POM
  mvn -q -B -f "$dir/maven/pom.xml" ${M2:+-Dmaven.repo.local="$M2"} \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs"
}

# keytool's PKCS12 default since JDK 16 is PBES2 with AES; the legacy switch gives RC2 and 3DES, as older JDKs wrote.
make_stores() {
  [ -e "$stores/done" ] && return
  rm -rf "$stores" && mkdir -p "$stores"
  (
    cd "$stores"
    pass=(-storepass store-secret)
    rsa=(-keyalg RSA -keysize 2048 -validity 3650)
    legacy=-J-Dkeystore.pkcs12.legacy
    for ca in ca other-ca; do
      keytool -genkeypair -alias ca -dname "CN=$ca" -ext bc:c -keystore $ca.p12 "${pass[@]}" "${rsa[@]}"
      keytool -exportcert -rfc -alias ca -keystore $ca.p12 "${pass[@]}" -file $ca.pem
    done
    for who in broker client elsewhere; do
      local names=dns:localhost,ip:$host
      [ $who = elsewhere ] && names=dns:elsewhere.example
      keytool -genkeypair -alias $who -dname "CN=$who" -keystore $who.p12 "${pass[@]}" "${rsa[@]}"
      keytool -certreq -alias $who -keystore $who.p12 "${pass[@]}" |
        keytool -gencert -rfc -alias ca -keystore ca.p12 "${pass[@]}" -validity 3650 \
          -ext "san=$names" > $who.crt
      cat $who.crt ca.pem > $who.chain
      keytool -importcert -noprompt -alias $who -keystore $who.p12 "${pass[@]}" -file $who.chain
    done
    import=(keytool -importcert -noprompt -alias ca "${pass[@]}")
    "${import[@]}" -storetype JKS -keystore trust.jks -file ca.pem
    "${import[@]}" -storetype PKCS12 -keystore trust.p12 -file ca.pem
    "${import[@]}" $legacy -storetype PKCS12 -keystore trust-legacy.p12 -file ca.pem
    "${import[@]}" -storetype JKS -keystore other-trust.jks -file other-ca.pem
    convert=(keytool -importkeystore -noprompt -srckeystore client.p12 -srcstorepass store-secret -srcalias client -deststorepass store-secret)
    "${convert[@]}" -deststoretype JKS -destkeystore client.jks -destkeypass key-secret
    "${convert[@]}" $legacy -deststoretype PKCS12 -destkeystore client-legacy.p12
    openssl pkcs12 -in client.p12 -passin pass:store-secret -nocerts -passout pass:key-secret |
      sed -n '/-BEGIN/,/-END/p' > client.pem
    cat client.chain >> client.pem
    touch done
  ) > "$dir/stores.log" 2>&1 || { cat "$dir/stores.log"; exit 1; }
}

write_config() {
  {
    cat <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$host:$((port + 1))
controller.listener.names=CONTROLLER
log.dirs=$dir/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
CONFIG
    if [ "${KAFKA_LISTENERS:-all}" = plain ]; then
      echo "listeners=PLAINTEXT://$host:$port,CONTROLLER://$host:$((port + 1))"
      return
    fi
    cat <<CONFIG
listeners=PLAINTEXT://$host:$port,CONTROLLER://$host:$((port + 1)),SASL_PLAINTEXT://$host:$((port + 2)),SSL://$host:$((port + 3)),SASL_SSL://$host:$((port + 4)),MUTUAL://$host:$((port + 5)),ELSEWHERE://$host:$((port + 6))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,MUTUAL:SSL,ELSEWHERE:SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
ssl.keystore.location=$stores/broker.p12
ssl.keystore.password=store-secret
ssl.truststore.location=$stores/trust.p12
ssl.truststore.password=store-secret
listener.name.mutual.ssl.client.auth=required
listener.name.elsewhere.ssl.keystore.location=$stores/elsewhere.p12
listener.name.elsewhere.ssl.keystore.password=store-secret
CONFIG
    local module=org.apache.kafka.common.security
    for listener in sasl_plaintext sasl_ssl; do
      echo "listener.name.$listener.plain.sasl.jaas.config=$module.plain.PlainLoginModule required user_alice=\"alice-secret\";"
      echo "listener.name.$listener.oauthbearer.sasl.jaas.config=$module.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\" unsecuredValidatorRequiredScope=\"kafka\";"
      echo "listener.name.$listener.scram-sha-256.sasl.jaas.config=$module.scram.ScramLoginModule required;"
      echo "listener.name.$listener.scram-sha-512.sasl.jaas.config=$module.scram.ScramLoginModule required;"
    done
  } > "$dir/server.properties"
}

format_storage() {
  local users=()
  if [ "${KAFKA_LISTENERS:-all}" != plain ]; then
    for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
      users+=(--add-scram "$mechanism=[name=alice,password=alice-secret]")
    done
  fi
  "${java[@]}" kafka.tools.StorageTool format -t 4L6g3nShT-eMCtK--X86sw -c "$dir/server.properties" \
    ${users[@]+"${users[@]}"} > "$dir/format.log" 2>&1 || { cat "$dir/format.log"; exit 1; }
}

start() {
  nohup "${java[@]}" kafka.Kafka "$dir/server.properties" > "$dir/log" 2>&1 < /dev/null &
  echo $! > "$dir/pid"
  for _ in $(seq 300); do
    grep -q 'Kafka Server started' "$dir/log" && return
    kill -0 "$(cat "$dir/pid")" 2> /dev/null || break
    sleep 0.2
  done
  tail -40 "$dir/log"
  exit 1
}

stop() {
  [ -e "$dir/pid" ] || return 0
  local pid
  pid=$(cat "$dir/pid")
  kill "-$1" "$pid" 2> /dev/null || true
  for _ in $(seq 300); do
    kill -0 "$pid" 2> /dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2> /dev/null || true
  rm -f "$dir/pid"
}

# The command-line tools are not on Maven Central for this version; the admin client is in the jars.
create_topic() {
  cat > "$dir/CreateTopic.java" <<'JAVA'
import java.util.*;
import org.apache.kafka.clients.admin.*;
class CreateTopic {
    public static void main(String[] a) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", a[0]))) {
            admin.createTopics(List.of(new NewTopic(a[1], Integer.parseInt(a[2]), (short) 1))).all().get();
        }
    }
}
JAVA
  "${java[@]}" "$dir/CreateTopic.java" "$host:$port" "$1" "$2"
}

mkdir -p "$dir"
case "${1:-}" in
  up)
    stop TERM
    fetch_jars
    [ "${KAFKA_LISTENERS:-all}" = plain ] || make_stores
    echo 'Configuration: {status: error, Appenders: {Console: {name: C, PatternLayout: {pattern: "%d %p %c{1} %m%n"}}}, Loggers: {Root: {level: INFO, AppenderRef: [{ref: C}]}}}' > "$dir/log4j2.yaml"
    rm -rf "$dir/data"
    write_config
    format_storage
    start
    ;;
  jars) fetch_jars ;;
  start) start ;;
  stop) stop TERM ;;
  kill) stop KILL ;;
  down) stop TERM; rm -rf "$dir/data" ;;
  topic) create_topic "$2" "$3" ;;
  env) printf 'export RSTASH_KAFKA=%s RSTASH_KAFKA_DIR=%s\n' "$host:$port" "$dir" ;;
  *) sed -n '2,10p' "$0"; exit 2 ;;
esac
