package dev.hal0.server;

import java.util.Map;

/**
 * The arguments of {@code hal0 serve}.
 *
 * @param train start, use everything once and exit: what the class cache is made from
 */
record ServeOptions(String host, int port, boolean help, boolean train) {
    static final String USAGE = """
            Usage: hal0 serve [--host ADDRESS] [--port PORT]

              --host ADDRESS  address to listen on (default 127.0.0.1; environment HAL0_BIND_HOST)
              --port PORT     port to listen on, 0 for any (default 8080; environment HAL0_PORT)

            HAL0_HOME re-roots every file; without it they are below ~/.local/share/hal0.""";

    static ServeOptions parse(String[] arguments, Map<String, String> environment) {
        String host = environment.getOrDefault("HAL0_BIND_HOST", "127.0.0.1");
        int port = port(environment.getOrDefault("HAL0_PORT", "8080"));
        boolean help = false;
        boolean train = false;
        for (int i = 0; i < arguments.length; i++) {
            String argument = arguments[i];
            int equals = argument.indexOf('=');
            String name = equals > 0 ? argument.substring(0, equals) : argument;
            switch (name) {
                case "--help", "-h" -> help = true;
                case "--train" -> train = true;
                case "--host", "--port" -> {
                    String value;
                    if (equals > 0) {
                        value = argument.substring(equals + 1);
                    } else if (i + 1 < arguments.length) {
                        value = arguments[++i];
                    } else {
                        throw new IllegalArgumentException(name + " needs a value");
                    }
                    if (name.equals("--host")) {
                        host = value;
                    } else {
                        port = port(value);
                    }
                }
                default -> throw new IllegalArgumentException("unknown argument '" + argument + "'");
            }
        }
        return new ServeOptions(host, port, help, train);
    }

    private static int port(String text) {
        try {
            int port = Integer.parseInt(text);
            if (port >= 0 && port <= 65535) {
                return port;
            }
        } catch (NumberFormatException notANumber) {
            // told below, with the range
        }
        throw new IllegalArgumentException("a port is 0 to 65535, not '" + text + "'");
    }
}
