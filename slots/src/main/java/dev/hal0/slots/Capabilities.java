package dev.hal0.slots;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.FileTransaction;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.kernel.TomlFile;
import dev.hal0.models.ModelCatalog;
import dev.hal0.models.RegisteredModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code capabilities.toml}: what a person chose for each capability. A choice and the slot file that carries it out change
 * in one transaction, so the two cannot come to differ by a crash; where a hand edit makes them differ, that is shown. The
 * file is absent on a fresh box: nobody chose anything, and what the slots' files say is shown in its place.
 *
 * <p>Thread-safe. Starts and stops nothing.
 */
public final class Capabilities {
    private static final Logger log = LoggerFactory.getLogger(Capabilities.class);
    private static final Set<String> KEYS = Set.of("device", "backend", "provider", "model", "enabled");
    private static final Map<Capability, SlotName> ON_NPU =
            Map.of(Capability.EMBED, new SlotName("embed-npu"), Capability.STT, new SlotName("stt-npu"));

    /**
     * @param slot that carries it out
     * @param chosen whether the file says it; otherwise it is what the slot's file says
     * @param differs in words how the slot's file differs from the choice; null where it does not
     */
    public record Entry(
            Capability capability,
            SlotName slot,
            Selection selection,
            boolean chosen,
            @Nullable String differs) {}

    /**
     * What a change says; null keeps what is there.
     *
     * @param model empty for none
     */
    public record Change(
            @Nullable Device device,
            @Nullable String provider,
            @Nullable String model,
            @Nullable Boolean enabled) {}

    /** @param pendingReload a running slot has to be restarted before it does what was chosen, and is not by itself */
    public record Applied(Entry entry, Selection before, boolean pendingReload) {}

    private final TomlFile file;
    private final SlotDefinitions definitions;
    private final ModelCatalog models;
    private final FileTransaction transaction;
    private Map<Capability, Selection> lastGood = Map.of();
    private @Nullable Hal0Exception problem;

    /** @param intent present only while this file and slots' files are being changed */
    public Capabilities(Path path, Path intent, DurableFiles files, SlotDefinitions definitions, ModelCatalog models) {
        this.file = new TomlFile(path, files);
        this.definitions = definitions;
        this.models = models;
        this.transaction = new FileTransaction(intent, files);
    }

    /** Finishes what a crash cut off. Called once, before slots are read. Never throws: the rest of hal0 can do without. */
    public void recover() {
        try {
            FileTransaction.Recovery recovery = transaction.recover();
            if (!recovery.completed().isEmpty()) {
                log.info("finished a change of {} that was cut off", recovery.completed());
            }
            if (!recovery.leftAlone().isEmpty()) {
                log.warn("{} was edited since a change of it was cut off, and stays as edited", recovery.leftAlone());
            }
        } catch (Hal0Exception failure) {
            log.error("a change of configuration that was cut off cannot be finished: {}", failure.message());
        }
    }

    public List<Entry> list() {
        Map<Capability, Selection> chosen = chosen();
        return Arrays.stream(Capability.values())
                .map(capability -> entry(capability, Optional.ofNullable(chosen.get(capability))))
                .toList();
    }

    public Entry get(Capability capability) {
        return entry(capability, Optional.ofNullable(chosen().get(capability)));
    }

    /** Why the file is not in force. */
    public synchronized Optional<Hal0Exception> problem() {
        chosen();
        return Optional.ofNullable(problem);
    }

    /**
     * Stores a choice and makes the slot's file say the same.
     *
     * @throws Hal0Exception {@code capability.invalid_selection}, {@code model.not_found} or
     *     {@code dispatch.capability_mismatch} with the field; nothing is changed then
     */
    public synchronized Applied apply(Capability capability, Change change) {
        Entry now = get(capability);
        Selection before = now.selection();
        Optional<String> model = change.model() == null
                ? before.model()
                : Optional.of(change.model()).filter(id -> !id.isBlank());
        boolean enabled = change.enabled() == null ? before.enabled() : change.enabled();
        if (Boolean.TRUE.equals(change.enabled()) && model.isEmpty()) {
            throw invalid("model", "is needed: what has no model cannot be enabled");
        }
        var after = new Selection(
                change.device() == null ? before.device() : change.device(),
                change.provider() == null ? before.provider() : Optional.of(change.provider()),
                model,
                enabled);
        model.ifPresent(id -> requireFit(capability, id));
        TomlDocument document =
                file.read().orElseGet(() -> TomlDocument.empty(file.path().toString()));
        String was = file.read().map(TomlDocument::text).orElse(null);
        Map<SlotName, UnaryOperator<TomlDocument>> changes = slotChanges(capability, before, after);
        definitions.updateTogether(
                transaction,
                new FileTransaction.Change(
                        file.path(), was, written(document, capability, after).text()),
                changes);
        boolean npu = before.device() == Device.NPU || after.device() == Device.NPU;
        return new Applied(get(capability), before, npu && ON_NPU.containsKey(capability));
    }

    private void requireFit(Capability capability, String modelId) {
        RegisteredModel model = models.require(modelId);
        if (!model.can(capability.type().capability())) {
            throw new Hal0Exception(
                            ErrorCode.MODEL_CAPABILITY_MISMATCH,
                            "Model " + modelId + " can only " + model.capabilities() + ", which is not "
                                    + capability.type().label() + ".")
                    .withParam("model");
        }
    }

    /** The NPU's engine does several things at once: choosing it means a switch of its owner's, and a slot beside it. */
    private Map<SlotName, UnaryOperator<TomlDocument>> slotChanges(
            Capability capability, Selection before, Selection after) {
        var changes = new LinkedHashMap<SlotName, UnaryOperator<TomlDocument>>();
        SlotName shadow = ON_NPU.get(capability);
        boolean toNpu = after.device() == Device.NPU;
        if (shadow == null || !toNpu) {
            changes.put(capability.slot(), document -> carriedOut(document, after));
        }
        if (shadow != null && (toNpu || before.device() == Device.NPU)) {
            SlotName anchor = definitions.list().stream()
                    .filter(SlotDefinition::isNpuAnchor)
                    .findFirst()
                    .orElseThrow(() -> invalid("device", "is npu, and this box has no chat slot on an NPU"))
                    .name();
            String toggle = capability == Capability.STT ? "asr" : "embed";
            changes.put(anchor, document -> document.with(List.of("npu", toggle), toNpu && after.enabled()));
            changes.put(
                    shadow, document -> toNpu ? carriedOut(document, after) : document.with(List.of("enabled"), false));
            if (toNpu) {
                changes.put(capability.slot(), document -> document.with(List.of("enabled"), false));
            }
        }
        return changes;
    }

    private static TomlDocument carriedOut(TomlDocument document, Selection selection) {
        TomlDocument changed = document.with(List.of("enabled"), selection.enabled())
                .with(List.of("device"), selection.device().label());
        List<String> model = List.of("model", "default");
        return selection.model().isPresent()
                ? changed.with(model, selection.model().get())
                : changed.contains(model) ? changed.without(model) : changed;
    }

    private static TomlDocument written(TomlDocument document, Capability capability, Selection selection) {
        TomlDocument changed = document.with(List.of("schema_version"), 2L);
        List<String> table = capability.path();
        changed = changed.contains(key(table, "backend")) ? changed.without(key(table, "backend")) : changed;
        return changed.with(key(table, "device"), selection.device().label())
                .with(key(table, "provider"), selection.provider().orElse(""))
                .with(key(table, "model"), selection.model().orElse(""))
                .with(key(table, "enabled"), selection.enabled());
    }

    private Entry entry(Capability capability, Optional<Selection> chosen) {
        SlotName slot = chosen.filter(selection -> selection.device() == Device.NPU)
                .map(onNpu -> ON_NPU.getOrDefault(capability, capability.slot()))
                .orElse(capability.slot());
        Optional<Selection> carriedOut = definitions
                .find(slot)
                .map(definition -> new Selection(
                        definition.device(),
                        definition.options().provider(),
                        definition.modelId(),
                        definition.enabled()));
        Selection shown = chosen.or(() -> carriedOut)
                .orElse(new Selection(Device.CPU, Optional.empty(), Optional.empty(), false));
        return new Entry(
                capability,
                slot,
                shown,
                chosen.isPresent(),
                chosen.map(wish -> difference(slot, wish, carriedOut)).orElse(null));
    }

    private static @Nullable String difference(SlotName slot, Selection wish, Optional<Selection> carriedOut) {
        if (carriedOut.isEmpty()) {
            return "slot " + slot + " does not exist";
        }
        Selection is = carriedOut.get();
        if (!is.model().equals(wish.model())) {
            return "slot " + slot + " has model " + is.model().orElse("none");
        }
        if (is.device() != wish.device()) {
            return "slot " + slot + " is on " + is.device().label();
        }
        return is.enabled() == wish.enabled()
                ? null
                : "slot " + slot + " is " + (is.enabled() ? "enabled" : "disabled");
    }

    private synchronized Map<Capability, Selection> chosen() {
        try {
            lastGood = file.read().map(Capabilities::read).orElse(Map.of());
            problem = null;
        } catch (Hal0Exception invalid) {
            problem = invalid;
        }
        return lastGood;
    }

    private static Map<Capability, Selection> read(TomlDocument document) {
        document.requireOnlyKeys(List.of(), Set.of("schema_version", "selections"));
        document.requireOnlyKeys(
                List.of("selections"),
                Arrays.stream(Capability.values()).map(Capability::group).collect(Collectors.toSet()));
        var selections = new EnumMap<Capability, Selection>(Capability.class);
        for (Capability capability : Capability.values()) {
            List<String> group = List.of("selections", capability.group());
            document.requireOnlyKeys(
                    group,
                    Arrays.stream(Capability.values())
                            .filter(other -> other.group().equals(capability.group()))
                            .map(Capability::child)
                            .collect(Collectors.toSet()));
            if (document.contains(capability.path())) {
                document.requireOnlyKeys(capability.path(), KEYS);
                selections.put(capability, selection(document, capability.path()));
            }
        }
        return selections;
    }

    private static Selection selection(TomlDocument document, List<String> table) {
        String key = document.contains(key(table, "device")) ? "device" : "backend";
        Optional<String> device = document.string(key(table, key)).filter(word -> !word.isBlank());
        return new Selection(
                device.isEmpty()
                        ? Device.CPU
                        : Device.named(device.get())
                                .orElseThrow(() -> document.fault(
                                        key(table, key),
                                        "is '" + device.get() + "'; it can be "
                                                + Arrays.stream(Device.values())
                                                        .map(Device::label)
                                                        .toList())),
                document.string(key(table, "provider")).filter(word -> !word.isBlank()),
                document.string(key(table, "model")).filter(word -> !word.isBlank()),
                document.bool(key(table, "enabled")).orElse(false));
    }

    private static List<String> key(List<String> table, String key) {
        var path = new ArrayList<>(table);
        path.add(key);
        return path;
    }

    private static Hal0Exception invalid(String field, String why) {
        return new Hal0Exception(ErrorCode.CAPABILITY_INVALID, "`" + field + "` " + why + ".").withParam(field);
    }
}
