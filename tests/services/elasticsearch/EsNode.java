import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs one Elasticsearch node: {@code EsNode HOME PORT DIRECTORY}; SIGTERM stops it in good order.
 *
 * <p>Takes the place of the distribution's own launcher, which is not on Maven Central and refuses to run as root.
 */
public class EsNode {
    private static final String NAME = "procvars-test";

    public static void main(String[] args) {
        try {
            run(Path.of(args[0]), args[1], Path.of(args[2]));
        } catch (Throwable e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(1); // threads of the half-started node would keep the process alive
        }
    }

    private static void run(Path home, String port, Path directory) throws Exception {
        System.setProperty("es.path.home", home.toString()); // where the native library is looked for
        Path config = Files.createDirectories(directory.resolve("config"));
        LogConfigurator.configureESLogging();
        LogConfigurator.configureWithoutConfig(Settings.builder().put("logger.level", "info").build());
        Settings settings = Settings.builder()
            .put("path.home", home)
            .put("path.data", directory.resolve("data"))
            .put("path.logs", directory)
            .put("cluster.name", NAME)
            .put("node.name", NAME)
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", port)
            .put("transport.port", "0")
            .put("cluster.routing.allocation.disk.threshold_enabled", false) // a full disk must not stop indexing
            .build();
        Environment env = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> NAME);
        Node node = new Node(env, PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(env.modulesDir(), false), Set.of(), Map.of(), false));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        Thread.currentThread().join();
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
