package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.testing.ShapedGguf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** For every shape and way of running it. */
class ModelFitPropertyTest {
    private static final List<ModelShape> SHAPES =
            ShapedGguf.names().stream().map(ModelFitPropertyTest::read).toList();

    @Property
    void more_context_never_needs_less(
            @ForAll("shapes") ModelShape shape,
            @ForAll("requests") FitRequest request,
            @ForAll @IntRange(min = 0, max = 100_000) int more) {
        long need = need(shape, request);

        assertThat(need(shape, request.withContext(request.context() + more))).isGreaterThanOrEqualTo(need);
    }

    @Property
    void more_requests_at_once_never_need_less_cache(
            @ForAll("shapes") ModelShape shape, @ForAll("requests") FitRequest request) {
        MemoryNeed one = ModelFit.need(shape, request).orElseThrow();
        MemoryNeed more = ModelFit.need(shape, request.withParallel(request.parallel() + 1))
                .orElseThrow();

        assertThat(more.cache().bytes()).isGreaterThanOrEqualTo(one.cache().bytes());
    }

    @Property
    void largest_context_fits_and_the_next_step_does_not(
            @ForAll("shapes") ModelShape shape,
            @ForAll("requests") FitRequest request,
            @ForAll @LongRange(min = 1L << 27, max = 1L << 36) long headroom) {
        OptionalInt largest = ModelFit.largestContext(shape, request, headroom);

        int trained = shape.contextLength().orElseThrow();
        int context = largest.orElse(0);
        assertThat(context % ModelFit.STEP).isZero();
        assertThat(context).isLessThanOrEqualTo(trained);
        if (largest.isPresent()) {
            assertThat(need(shape, request.withContext(context))).isLessThanOrEqualTo(headroom);
        }
        if (context + ModelFit.STEP <= trained) {
            assertThat(need(shape, request.withContext(context + ModelFit.STEP)))
                    .isGreaterThan(headroom);
        }
    }

    @Property
    void absurd_requests_are_answered(
            @ForAll("shapes") ModelShape shape,
            @ForAll @IntRange(min = 1) int context,
            @ForAll @IntRange(min = 1) int parallel,
            @ForAll @IntRange(min = 1) int ubatch,
            @ForAll boolean flash) {
        var request =
                FitRequest.of(context).withParallel(parallel).withUbatch(ubatch).withFlashAttention(flash);

        ModelFit.need(shape, request)
                .ifPresent(need -> assertThat(need.total())
                        .isGreaterThan(shape.weightsBytes().orElseThrow()));
    }

    @Provide
    Arbitrary<ModelShape> shapes() {
        return Arbitraries.of(SHAPES);
    }

    @Provide
    Arbitrary<FitRequest> requests() {
        return Combinators.combine(
                        Arbitraries.integers().between(1, 300_000),
                        Arbitraries.of(CacheType.class),
                        Arbitraries.of(CacheType.class),
                        Arbitraries.integers().between(1, 16),
                        Arbitraries.integers().between(1, 4096),
                        Arbitraries.of(true, false),
                        Arbitraries.of(true, false))
                .as((context, keys, values, parallel, ubatch, gpu, flash) ->
                        new FitRequest(context, keys, values, parallel, ubatch, gpu, false, flash));
    }

    private static long need(ModelShape shape, FitRequest request) {
        return ModelFit.need(shape, request).orElseThrow().total();
    }

    private static ModelShape read(String sample) {
        try {
            Path file = Files.createTempFile("shape", ".gguf");
            try {
                return new GgufReader().read(ShapedGguf.write(sample, file)).shape();
            } finally {
                Files.delete(file);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
