package dev.hal0.server;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.HomeDirectory;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * {@code hal0 serve}. The first Ctrl-C stops taking requests and gives streams in flight up to 20 s; the second ends at once.
 * Either way the engines keep running, and the next start finds them.
 */
public final class ServerMain {
    private static final Duration DRAIN = Duration.ofSeconds(20);
    private static final int INTERRUPTED = 130;

    private ServerMain() {}

    public static void main(String[] arguments) {
        ServeOptions options;
        try {
            options = ServeOptions.parse(arguments, System.getenv());
        } catch (IllegalArgumentException usage) {
            System.err.println("Error: " + usage.getMessage());
            System.err.println(ServeOptions.USAGE);
            System.exit(2);
            return;
        }
        if (options.help()) {
            System.out.println(ServeOptions.USAGE);
            return;
        }
        if (options.train()) {
            Training.run();
            return;
        }
        try {
            serve(options, HomeDirectory.of(System.getenv()));
        } catch (Hal0Exception refused) {
            System.err.println("Error: " + refused.message());
            System.err.println("       " + refused.code().remedy());
            System.exit(refused.code().status() == 409 || refused.code().status() == 412 ? 4 : 1);
        }
    }

    private static void serve(ServeOptions options, HomeDirectory home) {
        var server =
                new Hal0Server(home, options.host(), options.port(), System.getenv(), JavaPrograms.ofThisProcess());
        var stopped = new CountDownLatch(1);
        onSignals(server, stopped);
        String url = "http://" + (options.host().contains(":") ? "[" + options.host() + "]" : options.host()) + ":"
                + server.port();
        System.out.println("hal0 " + Version.current() + " is listening on " + url + "  (home " + home.config() + ")");
        System.out.println(server.nextStep()
                .map(step -> "Embeddings work now. For chat, type next:  " + step)
                .orElse("Try:  ./hal0 chat \"hello\""));
        System.out.flush();
        try {
            stopped.await();
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
        server.close();
        System.exit(0);
    }

    /** Handled here and not in a shutdown hook: a JVM that is shutting down does not hear a second signal. */
    private static void onSignals(Hal0Server server, CountDownLatch stopped) {
        var asked = new AtomicBoolean();
        sun.misc.SignalHandler handler = signal -> {
            if (!asked.compareAndSet(false, true)) {
                System.err.println("Ending at once. Engines keep running.");
                Runtime.getRuntime().halt(INTERRUPTED);
            }
            Thread.ofPlatform().name("drain").start(() -> {
                int inFlight = server.inFlight();
                if (inFlight > 0) {
                    System.err.println("Waiting up to " + DRAIN.toSeconds() + " s for "
                            + (inFlight == 1 ? "1 request" : inFlight + " requests")
                            + "; Ctrl-C again ends at once. Engines keep running.");
                }
                int cut = server.drain(DRAIN);
                if (cut > 0) {
                    System.err.println(
                            cut == 1
                                    ? "One request was ended with an error event."
                                    : cut + " requests were ended with an error event.");
                }
                stopped.countDown();
            });
        };
        sun.misc.Signal.handle(new sun.misc.Signal("INT"), handler);
        sun.misc.Signal.handle(new sun.misc.Signal("TERM"), handler);
    }
}
