package dev.hal0.helper;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.hal0.kernel.SlotName;
import java.util.Objects;

/** One call as it travels: a JSON object whose {@code verb} says which. What is not among these cannot be asked. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "verb")
@JsonSubTypes({
    @JsonSubTypes.Type(value = HelperCall.Facts.class, name = "facts"),
    @JsonSubTypes.Type(value = HelperCall.Launch.class, name = "launch"),
    @JsonSubTypes.Type(value = HelperCall.Preview.class, name = "preview"),
    @JsonSubTypes.Type(value = HelperCall.Status.class, name = "status"),
    @JsonSubTypes.Type(value = HelperCall.Differences.class, name = "differences"),
    @JsonSubTypes.Type(value = HelperCall.Stop.class, name = "stop"),
    @JsonSubTypes.Type(value = HelperCall.ResetFailed.class, name = "reset_failed"),
    @JsonSubTypes.Type(value = HelperCall.Unmask.class, name = "unmask"),
    @JsonSubTypes.Type(value = HelperCall.Remove.class, name = "remove"),
    @JsonSubTypes.Type(value = HelperCall.Image.class, name = "image"),
    @JsonSubTypes.Type(value = HelperCall.Images.class, name = "images"),
    @JsonSubTypes.Type(value = HelperCall.Pull.class, name = "pull")
})
public sealed interface HelperCall {
    record Facts() implements HelperCall {}

    /** @param key never logged */
    record Launch(ContainerPlan plan, String key) implements HelperCall {
        public Launch {
            requireAll(plan, key);
        }

        @Override
        public String toString() {
            return "Launch[" + plan + "]";
        }
    }

    record Preview(ContainerPlan plan) implements HelperCall {
        public Preview {
            requireAll(plan);
        }
    }

    record Status(SlotName slot) implements HelperCall {
        public Status {
            requireAll(slot);
        }
    }

    record Differences(ContainerPlan plan) implements HelperCall {
        public Differences {
            requireAll(plan);
        }
    }

    /** @param graceMillis 0 to 600,000 */
    record Stop(SlotName slot, String invocation, long graceMillis) implements HelperCall {
        public Stop {
            requireAll(slot, invocation);
        }
    }

    record ResetFailed(SlotName slot) implements HelperCall {
        public ResetFailed {
            requireAll(slot);
        }
    }

    record Unmask(SlotName slot) implements HelperCall {
        public Unmask {
            requireAll(slot);
        }
    }

    record Remove(SlotName slot) implements HelperCall {
        public Remove {
            requireAll(slot);
        }
    }

    record Image(String reference) implements HelperCall {
        public Image {
            requireAll(reference);
        }
    }

    record Images() implements HelperCall {}

    record Pull(String reference) implements HelperCall {
        public Pull {
            requireAll(reference);
        }
    }

    /** JSON leaves out what it likes. */
    private static void requireAll(Object... parts) {
        for (Object part : parts) {
            Objects.requireNonNull(part, "a call is complete");
        }
    }
}
