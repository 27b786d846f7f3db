package dev.hal0.helper.daemon;

import dev.hal0.helper.FrameChannel;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import jdk.net.ExtendedSocketOptions;

/**
 * The root helper's process: one connection, handed over by systemd as standard input. It ends with the connection, so nothing
 * of root's waits around between calls, and a control plane that dies takes its helper along.
 */
public final class HelperMain {
    private static final int REFUSED = 77;

    private HelperMain() {}

    public static void main(String[] arguments) {
        try {
            if (!(System.inheritedChannel() instanceof SocketChannel connection)) {
                System.err.println("hal0-helper is started by hal0-helper.socket, not by hand.");
                System.exit(2);
                return;
            }
            System.exit(serve(connection));
        } catch (IOException | RuntimeException failure) {
            System.err.println("<3>" + failure);
            System.exit(1);
        }
    }

    private static int serve(SocketChannel connection) throws IOException {
        var trust = new TrustedPath(0);
        Policy policy = Policy.read(Policy.FILE, trust);
        UserPrincipal caller =
                connection.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
        if (!isAllowed(caller, policy)) {
            System.err.println(
                    "<4>refused a call of user " + caller.getName() + "; only " + policy.user() + " may call");
            connection.close();
            return REFUSED;
        }
        var host = new SystemdHost(
                policy,
                trust,
                Tools.system(),
                SlotPaths.SYSTEM,
                new MachineDevices(Path.of("/dev"), policy.softwareGpu()));
        try (var channel = new FrameChannel(connection)) {
            new Conversation(channel, host, line -> System.err.println("<6>" + line)).run();
        }
        return 0;
    }

    /** Compares user ids: the kernel's word about who opened the connection. */
    static boolean isAllowed(UserPrincipal caller, Policy policy) throws IOException {
        var users = Path.of("/").getFileSystem().getUserPrincipalLookupService();
        return caller.equals(users.lookupPrincipalByName(policy.user()));
    }
}
