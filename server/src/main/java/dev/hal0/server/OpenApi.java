package dev.hal0.server;

import dev.hal0.kernel.ErrorEnvelope;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The OpenAPI 3.1 description, generated from the route list and its records: it cannot name a route that is not there. */
final class OpenApi {
    private static final Pattern PARAMETER = Pattern.compile("\\{(\\w+)}");

    private final Map<String, Object> schemas = new TreeMap<>();

    /** @param extra path items of routes that are not in the list, such as the gateway's */
    static Map<String, Object> describe(String version, List<ApiRoute> routes, Map<String, Object> extra) {
        return new OpenApi().document(version, routes, extra);
    }

    private Map<String, Object> document(String version, List<ApiRoute> routes, Map<String, Object> extra) {
        Map<String, Object> paths = new TreeMap<>(extra);
        for (ApiRoute route : routes) {
            @SuppressWarnings("unchecked") // every value that is put here is such a map
            var item =
                    (Map<String, Object>) paths.computeIfAbsent(route.path(), ignored -> new TreeMap<String, Object>());
            item.put(route.method().name().toLowerCase(Locale.ROOT), operation(route));
        }
        var document = new LinkedHashMap<String, Object>();
        document.put("openapi", "3.1.0");
        document.put("info", Map.of("title", "hal0", "version", version));
        document.put("paths", paths);
        schema(ErrorEnvelope.class);
        document.put("components", Map.of("schemas", schemas));
        return document;
    }

    private Map<String, Object> operation(ApiRoute route) {
        var operation = new LinkedHashMap<String, Object>();
        operation.put("summary", route.summary());
        var parameters = new ArrayList<Map<String, Object>>();
        var matcher = PARAMETER.matcher(route.path());
        while (matcher.find()) {
            parameters.add(Map.of(
                    "name", matcher.group(1), "in", "path", "required", true, "schema", Map.of("type", "string")));
        }
        if (!parameters.isEmpty()) {
            operation.put("parameters", parameters);
        }
        if (route.request() != null) {
            operation.put("requestBody", Map.of("content", json(schema(route.request()))));
        }
        var responses = new LinkedHashMap<String, Object>();
        responses.put(
                Integer.toString(route.status()),
                route.response() == null
                        ? Map.of("description", "Success")
                        : Map.of("description", "Success", "content", json(schema(route.response()))));
        responses.put("default", Map.of("description", "Failure", "content", json(schema(ErrorEnvelope.class))));
        operation.put("responses", responses);
        return operation;
    }

    private static Map<String, Object> json(Map<String, Object> schema) {
        return Map.of("application/json", Map.of("schema", schema));
    }

    private Map<String, Object> schema(Type type) {
        return switch (type) {
            case ParameterizedType generic
            when Collection.class.isAssignableFrom((Class<?>) generic.getRawType()) ->
                Map.of("type", "array", "items", schema(generic.getActualTypeArguments()[0]));
            case ParameterizedType generic
            when java.util.Optional.class.equals(generic.getRawType()) -> schema(generic.getActualTypeArguments()[0]);
            case ParameterizedType ignored -> Map.of("type", "object");
            case GenericArrayType array -> Map.of("type", "array", "items", schema(array.getGenericComponentType()));
            case WildcardType ignored -> Map.of();
            case Class<?> plain -> schema(plain);
            default -> Map.of();
        };
    }

    private Map<String, Object> schema(Class<?> type) {
        if (type.isArray()) {
            return Map.of("type", "array", "items", schema(type.getComponentType()));
        }
        if (type == boolean.class || type == Boolean.class) {
            return Map.of("type", "boolean");
        }
        if (type == int.class || type == Integer.class || type == long.class || type == Long.class) {
            return Map.of("type", "integer");
        }
        if (type == double.class || type == Double.class) {
            return Map.of("type", "number");
        }
        if (type.isEnum()) {
            return Map.of(
                    "type",
                    "string",
                    "enum",
                    Arrays.stream(type.getEnumConstants()).map(OpenApi::word).toList());
        }
        if (!type.isRecord()) {
            return type == Object.class || Map.class.isAssignableFrom(type) ? Map.of() : Map.of("type", "string");
        }
        RecordComponent[] components = type.getRecordComponents();
        if (components.length == 1
                && Arrays.stream(type.getDeclaredFields())
                        .anyMatch(
                                field -> field.isAnnotationPresent(com.fasterxml.jackson.annotation.JsonValue.class))) {
            return schema(components[0].getGenericType());
        }
        String name = type.getEnclosingClass() == null
                ? type.getSimpleName()
                : type.getEnclosingClass().getSimpleName() + type.getSimpleName();
        if (!schemas.containsKey(name)) {
            schemas.put(name, Map.of()); // ends a recursion; replaced below
            schemas.put(name, record(components));
        }
        return Map.of("$ref", "#/components/schemas/" + name);
    }

    private Map<String, Object> record(RecordComponent[] components) {
        var properties = new LinkedHashMap<String, Object>();
        var required = new ArrayList<String>();
        for (RecordComponent component : components) {
            var explicit = component.getAccessor().getAnnotation(com.fasterxml.jackson.annotation.JsonProperty.class);
            String name =
                    explicit == null || explicit.value().isEmpty() ? snakeCase(component.getName()) : explicit.value();
            properties.put(name, schema(component.getGenericType()));
            if (!component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
                required.add(name);
            }
        }
        return Map.of("type", "object", "properties", properties, "required", required);
    }

    private static Object word(Object constant) {
        return dev.hal0.kernel.Json.STRICT.convertValue(constant, String.class);
    }

    private static String snakeCase(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
    }
}
