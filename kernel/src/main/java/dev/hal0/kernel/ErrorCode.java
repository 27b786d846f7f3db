package dev.hal0.kernel;

import java.util.Optional;

/**
 * The catalogue of everything that hal0 refuses or fails at: one entry per cause, with the HTTP status it answers and
 * what the user can do. {@code docs/errors.md} is generated from it, so a remedy is written for the person who reads it.
 */
public enum ErrorCode {
    REQUEST_INVALID_JSON(
            "request.invalid_json", 400, "Send a well-formed JSON body with Content-Type: application/json."),
    REQUEST_NOT_AN_OBJECT("request.not_an_object", 400, "Send a JSON object as the body."),
    REQUEST_INVALID("request.invalid", 400, "Correct the named field."),
    REQUEST_UNKNOWN_FIELDS(
            "validation.unknown_keys", 400, "Remove the listed keys; the message names those that exist."),
    REQUEST_TOO_LARGE("request.too_large", 413, "Send a smaller body, or raise [server].max_body_mb in hal0.toml."),
    REQUEST_FORM_INVALID(
            "request.invalid_form", 400, "Send well-formed multipart/form-data, as HTTP clients do for file uploads."),
    REQUEST_ORIGIN_REFUSED(
            "request.origin_refused", 403, "Add the host name to [network].allowed_hosts in hal0.toml if it is yours."),
    REQUEST_HOST_REFUSED(
            "request.host_refused", 403, "Add the host name to [network].allowed_hosts in hal0.toml if it is yours."),
    REQUEST_UNAUTHORIZED("auth.required", 401, "Send the key as Authorization: Bearer KEY."),
    ROUTE_NOT_FOUND("route.not_found", 404, "See /api/openapi.json for the routes that exist."),
    ROUTE_METHOD_NOT_ALLOWED("route.method_not_allowed", 405, "Use one of the methods in the Allow header."),
    PRECONDITION_FAILED(
            "resource.precondition_failed", 412, "Read the resource again and repeat the change with its new ETag."),
    OPERATION_NOT_FOUND("operation.not_found", 404, "List operations with GET /api/operations."),
    OPERATION_CANCELLED(
            "operation.cancelled", 409, "A newer request replaced this one; repeat it if you still want it."),
    CONFIG_INVALID(
            "config.invalid", 400, "Correct the named file at the given line; the last good version stays in force."),
    CONFIG_LOCKED("config.locked", 503, "Wait for the other hal0 command that is writing the file, then retry."),
    STATE_CORRUPT("state.corrupt", 500, "Move the named file away; hal0 rebuilds it."),

    MODEL_NOT_FOUND(
            "model.not_found",
            404,
            "List models with `hal0 model list`; register one with `hal0 model add FILE.gguf`."),
    MODEL_ALREADY_EXISTS("model.already_exists", 409, "Choose another id with --id, or replace it with --overwrite."),
    MODEL_IN_USE("model.in_use", 409, "Bind the slots to another model or delete them first."),
    MODEL_READ_ONLY("model.read_only", 409, "This model is part of hal0 and cannot be changed."),
    MODEL_FILE_MISSING("model.file_missing", 409, "Restore the file, or remove the entry with `hal0 model rm ID`."),
    MODEL_FILE_INVALID(
            "model.file_invalid",
            422,
            "Give a complete little-endian GGUF file of version 2 or 3, or a ggml file of whisper.cpp."),
    MODEL_REGISTRY_UNAVAILABLE(
            "model.registry_unavailable", 503, "Repair registry.toml at the given line; nothing is written meanwhile."),
    MODEL_REGISTRY_EXISTS(
            "model.registry_exists",
            409,
            "Repeat with --force: the registry that is there is kept beside it as a backup."),
    MODEL_ARCHIVE_INVALID("model.archive_invalid", 422, "Give a tar.gz of a hal0 backup with a registry.toml in it."),
    MODEL_CAPABILITY_MISMATCH(
            "dispatch.capability_mismatch", 409, "Choose a model that serves this route; GET /v1/models lists them."),

    SLOT_NOT_FOUND("slot.not_found", 404, "List slots with `hal0 slot list`; create one with `hal0 slot create NAME`."),
    SLOT_ALREADY_EXISTS("slot.already_exists", 409, "Choose another name, or change the existing slot's config."),
    SLOT_CONFIG_ERROR("slot.config_error", 400, "Correct the named key."),
    SLOT_NO_MODEL(
            "slot.no_model",
            409,
            "Register a model with `hal0 model add FILE.gguf`, then `hal0 slot load NAME --model ID`."),
    SLOT_PORT_CONFLICT("slot.port_conflict", 409, "Choose a free port, or omit it to have one allocated."),
    SLOT_NO_FREE_PORT("slot.no_free_port", 400, "Delete a slot, or widen [slots].port_range_start/end in hal0.toml."),
    SLOT_SEEDED("slot.seeded", 409, "Seeded slots can be disabled, not deleted."),
    SLOT_DISABLED("slot.disabled", 409, "Enable the slot: PUT /api/slots/NAME/config with {\"enabled\":true}."),
    SLOT_ILLEGAL_TRANSITION(
            "slot.illegal_transition", 409, "Wait for the running operation, or cancel it with an unload."),
    SLOT_LOADING("slot.loading", 503, "Retry after the given seconds; `hal0 slot list` shows the progress."),
    SLOT_CAPACITY_INSUFFICIENT(
            "slot.capacity_insufficient",
            507,
            "Unload or unpin what holds the memory, choose a smaller model or context, or load it with --force."),
    SLOT_BUSY("slot.busy", 503, "Retry after the given seconds, or raise the slot's `parallel`."),
    SLOT_SPAWN_FAILED(
            "slot.spawn_failed", 502, "Read the engine's last lines in the message and `hal0 slot logs NAME`."),
    SLOT_HEALTH_FAILED(
            "slot.health_failed", 503, "Read `hal0 slot logs NAME`; the load budget is [slots].load_timeout_s."),
    SLOT_PLAN_MISMATCH(
            "slot.plan_mismatch", 502, "The engine runs with other values than asked; correct the slot's extra_args."),
    SLOT_CRASHED("slot.crashed", 502, "Read the engine's last lines in the message and `hal0 slot logs NAME`."),
    SLOT_TERMINATE_TIMEOUT(
            "slot.terminate_timeout", 504, "Look at the process in `hal0 slot show NAME`; retry the unload."),
    SLOT_UNIT_MASKED(
            "slot.unit_masked",
            409,
            "Somebody masked the slot's unit; allow it again with `systemctl unmask hal0-slot@NAME`, then load it."),
    SLOT_IMAGE_MISSING(
            "slot.image_missing",
            409,
            "Build the image with `hal0 toolbox build CLASS`, or bring it in with `podman pull` or `podman load`."),
    SLOT_DEVICE_MISSING(
            "slot.device_missing",
            409,
            "Set the slot's `device` to one that this machine has; `hal0 probe` lists them."),
    SLOT_CONTAINER_STALE(
            "slot.container_stale",
            409,
            "A container of an earlier life holds the slot's name: `podman rm --force hal0-slot-NAME`, then load it."),
    SLOT_MANAGED_ARGUMENT(
            "slot.managed_arg_denied", 400, "Remove the flag from extra_args and use the slot's own field."),
    SLOT_REVOKED("slot.revoked", 503, "The slot was stopped by force while this request was inside; send it again."),

    SLOT_NPU_EXCLUSIVE(
            "slot.npu_exclusivity_violation",
            409,
            "Disable the other chat slot of the NPU first: it has room for one model at a time."),

    PROFILE_NOT_FOUND(
            "profiles.not_found",
            404,
            "List profiles with `hal0 profile list`; make one with `hal0 profile set NAME`."),
    PROFILE_EXISTS("profiles.exists", 409, "Choose another name, or change that profile."),
    PROFILE_SEED(
            "profiles.seed_immutable",
            409,
            "Profiles that ship with hal0 stay; `hal0 profile reset NAME` undoes edits."),
    PROFILE_IN_USE("profiles.in_use", 409, "Give the named slots another profile first."),

    CAPABILITY_UNKNOWN(
            "capability.unknown_slot", 400, "Use one of the named pairs; `hal0 capabilities list` shows them."),
    CAPABILITY_INVALID("capability.invalid_selection", 400, "Correct the named field of the selection."),

    BACKEND_NOT_FOUND("backend.not_found", 404, "List them with GET /api/backends."),

    GPU_IMAGE_MODE("gpu.image_mode", 503, "Retry after the given seconds, or leave image mode."),
    GPU_INFERENCE_MODE("gpu.inference_mode", 503, "Enter image mode first; it unloads the models that use the GPU."),
    GPU_IMAGE_NOT_READY("gpu.img_not_ready", 503, "Ask `hal0 explain slot NAME` why the image slot does not run."),
    GPU_IMAGE_SLOT_MISSING("gpu.img_slot_missing", 404, "Create a slot of type image on a GPU device."),
    GPU_PINNED("gpu.pinned", 409, "Unpin image mode, or leave it with force."),
    GPU_BUSY("gpu.busy", 503, "Retry after the given seconds, or use force."),
    GPU_SWITCHING("gpu.switching", 409, "Wait for the running change to end."),

    ENGINE_UNKNOWN("engine.unknown", 404, "List engines with `hal0 engine list`."),
    ENGINE_NOT_INSTALLED(
            "engine.not_installed",
            409,
            "Install it with `hal0 engine install llama.cpp`, or put the named program on PATH or into [engines] of hal0.toml."),
    ENGINE_INSTALL_FAILED(
            "engine.install_failed",
            502,
            "Run `hal0 engine install` again: it resumes. Set [engines].mirror to another mirror, or put llama-server on PATH."),
    ENGINE_MIRROR_UNSUITABLE(
            "engine.mirror_unsuitable",
            409,
            "Set [engines].mirror in hal0.toml to a Debian mirror that has the suite, or put llama-server on PATH."),
    ENGINE_IN_USE("engine.in_use", 409, "Unload the slots that run it first."),
    RUNTIME_UNAVAILABLE(
            "runtime.unavailable", 503, "See `hal0 status`: the runtime chosen at first start cannot be used now."),
    RUNTIME_PLAN_REFUSED(
            "runtime.plan_refused",
            403,
            "Change the named field, or let root allow it in /etc/hal0/helper.toml; hal0 cannot change that file."),
    RUNTIME_STUCK(
            "runtime.stuck",
            504,
            "Podman or systemd did not answer in time; details have what they said. See `systemctl status` of the unit."),

    DISPATCH_NO_ROUTE("dispatch.no_route", 404, "Use one of the listed names; GET /v1/models lists all."),
    DISPATCH_MODEL_REQUIRED("request.missing_model", 400, "Name a slot or a model id in `model`."),
    DISPATCH_UPSTREAM_UNAVAILABLE(
            "dispatch.upstream_unavailable", 502, "The engine did not answer; `hal0 slot logs NAME` says why."),
    DISPATCH_UPSTREAM_FAILED("dispatch.upstream_failed", 502, "The engine's own answer is under details.upstream."),
    DISPATCH_STREAM_LIMIT(
            "dispatch.stream_limit", 504, "Raise [dispatcher].stream_idle_s or stream_total_s in hal0.toml."),
    DISPATCH_CANCELLED("dispatch.cancelled", 409, "An operator ended it; ask again if that was a mistake."),
    DISPATCH_NOT_CAPTURED(
            "dispatch.not_captured",
            404,
            "Capture with `hal0 requests capture --minutes 10`, then send the request again; only the last hundred are kept."),
    DISPATCH_NOT_IN_FLIGHT("dispatch.not_in_flight", 404, "List what is under way with GET /api/inflight."),
    DISPATCH_SHUTTING_DOWN("dispatch.shutting_down", 503, "The control plane is stopping; retry when it is back."),

    AUDIO_UNSUPPORTED_FORMAT(
            "audio.unsupported_format",
            415,
            "Send WAV, MP3 or FLAC; for other formats put ffmpeg on the engine's PATH and --convert into the slot's extra_args."),

    SYSTEM_COMMAND_FAILED("system.command_failed", 500, "The command and its last output are in details."),
    SYSTEM_PROBE_FAILED(
            "system.probe_failed", 500, "The log of hal0 says which step failed; try `hal0 probe --again`."),
    SYSTEM_COMMAND_TIMEOUT(
            "system.command_timeout",
            504,
            "The command and its last output are in details; retry when the machine is less busy."),
    SYSTEM_STORAGE("system.storage", 507, "Free disk space or repair permissions of the named path."),
    SYSTEM_NOT_IMPLEMENTED("system.not_implemented", 501, "This route is not available; the message says why."),
    SYSTEM_INTERNAL("system.internal", 500, "Report this with the request id; the log has the details."),

    PROXMOX_CONFIG_INVALID(
            "proxmox.config_invalid",
            400,
            "Correct the named fields; give the token value again when host, port, user or token name changed.");

    private final String code;
    private final int status;
    private final String remedy;

    ErrorCode(String code, int status, String remedy) {
        this.code = code;
        this.status = status;
        this.remedy = remedy;
    }

    /** The dotted name that clients match on; never changes once released. */
    public String code() {
        return code;
    }

    /** The HTTP status this cause answers with. */
    public int status() {
        return status;
    }

    /** One sentence: what the user can do about it. */
    public String remedy() {
        return remedy;
    }

    /** The word of OpenAI's {@code error.type} vocabulary that its SDKs expect beside this status. */
    public String type() {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 409 -> "conflict_error";
            case 429 -> "rate_limit_error";
            default -> status < 500 ? "invalid_request_error" : "server_error";
        };
    }

    public static Optional<ErrorCode> of(String code) {
        for (ErrorCode candidate : values()) {
            if (candidate.code.equals(code)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }
}
