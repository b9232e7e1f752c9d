// Sends numbered events with Elastic's own Lumberjack client, as Beats do, until all of them are acknowledged.
//
// It connects again when the connection breaks and sends what was not acknowledged. Each acknowledgement is a line on
// the standard output: the number up to which all events are safe. The last line is "done".
//
// With -listen it is the other side: Elastic's own server, which prints what it receives, an event in a line, and
// acknowledges it then. The first line is the address that it listens at.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	v2 "github.com/elastic/go-lumber/client/v2"
	"github.com/elastic/go-lumber/server"
)

var (
	address     = flag.String("address", "127.0.0.1:5044", "where to connect")
	count       = flag.Int("count", 1000, "how many events")
	window      = flag.Int("window", 100, "events per window")
	async       = flag.Int("async", 0, "windows under way at once; 0 waits for each")
	compress    = flag.Int("compress", 0, "compression level, 0 for none")
	patience    = flag.Duration("patience", 60*time.Second, "how long to try altogether")
	wait        = flag.Duration("wait", 20*time.Second, "how long to wait for an acknowledgement")
	authority   = flag.String("authority", "", "PEM file with the authority of the server; encrypts")
	certificate = flag.String("certificate", "", "PEM file with the client's certificate")
	key         = flag.String("key", "", "PEM file with its key")
	listen      = flag.String("listen", "", "address to listen at, instead of sending")
	hang        = flag.Int("hang", 0, "end without an acknowledgement in the window that reaches so many events")
	line        = flag.String("line", "message", "the field that holds an event's line")
	name        = flag.String("name", "localhost", "the server's name in its certificate")
)

func dial(network, to string) (net.Conn, error) {
	if *authority == "" {
		return net.DialTimeout(network, to, 5*time.Second)
	}
	pem, err := os.ReadFile(*authority)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: *name}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", *authority)
	}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return tls.Dial(network, to, config)
}

// batch is the window that begins after the event with this number.
func batch(after int) []interface{} {
	var events []interface{}
	for number := after + 1; number <= *count && len(events) < *window; number++ {
		events = append(events, map[string]interface{}{
			"@timestamp": "2024-05-06T07:08:09.123Z",
			"@metadata":  map[string]interface{}{"beat": "filebeat", "version": "8.0.0"},
			*line:        fmt.Sprintf("event %d", number),
			"number":     number,
			"event":      map[string]interface{}{"dataset": "test"},
		})
	}
	return events
}

// connection sends from after the acknowledged event on, and returns up to where it came.
func connection(safe int) (int, error) {
	client, err := v2.DialWith(dial, *address, v2.CompressionLevel(*compress), v2.Timeout(*wait))
	if err != nil {
		return safe, err
	}
	if *async == 0 {
		sync, err := v2.NewSyncClientWith(client)
		if err != nil {
			return safe, err
		}
		defer sync.Close()
		for safe < *count {
			events := batch(safe)
			if _, err := sync.Send(events); err != nil {
				return safe, err
			}
			safe += len(events)
			fmt.Println(safe)
		}
		return safe, nil
	}
	type outcome struct {
		count int
		err   error
	}
	sender, err := v2.NewAsyncClientWith(client, *async)
	if err != nil {
		return safe, err
	}
	windows := (*count - safe + *window - 1) / *window
	outcomes := make(chan outcome, windows)
	go func() {
		for sent := safe; sent < *count; {
			events := batch(sent)
			size := len(events)
			done := func(acked uint32, err error) {
				if err == nil && int(acked) != size {
					err = fmt.Errorf("%d of %d acknowledged", acked, size)
				}
				outcomes <- outcome{size, err}
			}
			if sender.Send(done, events) != nil {
				return
			}
			sent += size
		}
	}()
	for ; windows > 0; windows-- {
		outcome := <-outcomes
		if outcome.err != nil {
			_ = client.Close()
			return safe, outcome.err
		}
		safe += outcome.count
		fmt.Println(safe)
	}
	return safe, sender.Close()
}

// receive prints what comes, and acknowledges it.
func receive() error {
	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", *listen, &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server, err := server.NewWithListener(listener, server.V1(true), server.V2(false))
	if err != nil {
		return err
	}
	printed := 0
	for batch := range server.ReceiveChan() {
		for _, event := range batch.Events {
			encoded, err := json.Marshal(event)
			if err != nil {
				return err
			}
			printed++
			fmt.Println(string(encoded))
		}
		if *hang > 0 && printed >= *hang {
			return nil
		}
		batch.ACK()
	}
	return nil
}

func main() {
	flag.Parse()
	if *listen != "" {
		if err := receive(); err != nil {
			log.Fatal(err)
		}
		return
	}
	end := time.Now().Add(*patience)
	safe := 0
	for safe < *count {
		var err error
		safe, err = connection(safe)
		if err != nil && time.Now().After(end) {
			log.Fatalf("gave up at %d of %d: %v", safe, *count, err)
		}
		if err != nil {
			log.Printf("will try again: %v", err)
			time.Sleep(100 * time.Millisecond)
		}
	}
	fmt.Println("done")
}
