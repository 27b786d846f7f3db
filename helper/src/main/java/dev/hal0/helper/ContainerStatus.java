package dev.hal0.helper;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What systemd and podman say about one slot, both read within one life of the unit.
 *
 * @param loadState systemd's word, such as {@code loaded}, {@code not-found} or {@code masked}
 * @param activeState systemd's word, such as {@code active}, {@code activating}, {@code inactive}, {@code failed}
 * @param subState systemd's word; {@code auto-restart} while it waits to try again
 * @param result why the last life ended, {@code success} while it has not
 * @param invocation of the current or last life; empty when there was none since the unit was loaded
 * @param mainPid process that stands for the unit; 0 for none
 * @param exitCode {@code 1} for an exit, {@code 2} or {@code 3} for a signal, {@code 0} while it runs
 * @param exitStatus status or signal
 * @param restarts tries of systemd's own since the last start that was asked for
 * @param container null when there is none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ContainerStatus(
        String loadState,
        String activeState,
        String subState,
        String result,
        String invocation,
        long mainPid,
        int exitCode,
        int exitStatus,
        int restarts,
        @Nullable Container container) {
    /**
     * @param pid of the engine
     * @param cgroup below each hierarchy's root
     */
    public record Container(
            String id, boolean running, long pid, String cgroup, String imageId, Map<String, String> labels) {
        public Container {
            labels = Map.copyOf(labels);
        }
    }

    @JsonIgnore
    public boolean isMasked() {
        return loadState.equals("masked");
    }

    /** A container runs, or is about to be stopped. */
    @JsonIgnore
    public boolean isLive() {
        return activeState.equals("active") || activeState.equals("deactivating") || activeState.equals("reloading");
    }

    /** On its first try: the container will be there in a moment, or the try fails. */
    @JsonIgnore
    public boolean isStarting() {
        return activeState.equals("activating") && !isRestarting();
    }

    /** systemd waits before it tries again by itself. */
    @JsonIgnore
    public boolean isRestarting() {
        return subState.equals("auto-restart") || subState.equals("auto-restart-queued");
    }
}
