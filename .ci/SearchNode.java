import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.ingest.common.IngestCommonPlugin;
import org.opensearch.join.ParentJoinPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.transport.Netty4Plugin;

/** A node with the settings of HOME/config/opensearch.yml and its modules from the class path; `search.sh` starts it. */
class SearchNode extends Node {
    SearchNode(Environment environment) {
        super(environment, List.of(Netty4Plugin.class, PainlessPlugin.class, ParentJoinPlugin.class, IngestCommonPlugin.class), true);
    }

    public static void main(String[] arguments) throws Exception {
        System.setProperty("opensearch.path.home", arguments[0]);
        Settings home = Settings.builder().put("path.home", arguments[0]).build();
        Node node = new SearchNode(InternalSettingsPreparer.prepareEnvironment(home, Map.of(), Path.of(arguments[0], "config"), () -> "search-ci"));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
        }));
        node.start();
        new CountDownLatch(1).await();
    }
}
