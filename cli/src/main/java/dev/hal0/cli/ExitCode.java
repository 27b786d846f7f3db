package dev.hal0.cli;

/** The one vocabulary of exit codes; stable, so that scripts can rely on it. */
final class ExitCode {
    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;
    static final int NOT_FOUND = 3;
    static final int CONFLICT = 4;
    static final int UNREACHABLE = 5;
    static final int INVALID = 6;
    static final int FORBIDDEN = 7;
    static final int TIMED_OUT = 8;

    private ExitCode() {}

    static int ofStatus(int status) {
        return switch (status) {
            case 404 -> NOT_FOUND;
            case 409, 412 -> CONFLICT;
            case 400, 422 -> INVALID;
            case 401, 403 -> FORBIDDEN;
            case 408, 504 -> TIMED_OUT;
            default -> FAILED;
        };
    }
}
