package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.hal0.models.FitVerdict.Fit;
import dev.hal0.models.Headroom.Limit;
import dev.hal0.testing.ShapedGguf;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFitTest {
    private static final long MIB = 1 << 20;
    private static final FitRequest REQUEST = FitRequest.of(8192);

    @TempDir
    private static Path folder;

    private static ModelShape llama;

    @BeforeAll
    static void read() {
        llama = shape("llama-3.2-3b");
    }

    @Test
    void cacheOfLlama_is112KibPerToken() {
        MemoryNeed need = ModelFit.need(llama, REQUEST).orElseThrow();

        assertThat(need.cache().bytes()).isEqualTo(8192 * 112L * 1024);
        assertThat(need.cache().formula()).isEqualTo("1 × (114688 per token × 8192) with f16 and f16");
        assertThat(need.total())
                .isEqualTo(need.weights().bytes()
                        + need.cache().bytes()
                        + need.compute().bytes()
                        + need.runtime().bytes());
    }

    @Test
    void quantizedCache_isSmaller() {
        assertThat(cache(REQUEST.withCache(CacheType.Q8_0, CacheType.Q8_0))).isEqualTo(8192 * 112L * 1024 * 17 / 32);
        assertThat(cache(REQUEST.withCache(CacheType.Q4_0, CacheType.Q4_0))).isEqualTo(8192 * 112L * 1024 * 9 / 32);
    }

    @Test
    void verdict_changesAtTheHeadroomAndAt85PercentOfIt() {
        long need = ModelFit.need(llama, REQUEST).orElseThrow().total();

        assertThat(fit(need - 1)).isEqualTo(Fit.EXCEEDS);
        assertThat(fit(need)).isEqualTo(Fit.TIGHT);
        assertThat(fit(need * 100 / 85 - 100)).isEqualTo(Fit.TIGHT);
        assertThat(fit(need * 100 / 85 + 100)).isEqualTo(Fit.FITS);
        assertThat(fit(Long.MAX_VALUE)).isEqualTo(Fit.FITS);
    }

    @Test
    void replacedModel_givesBackWhatItHolds() {
        long need = ModelFit.need(llama, REQUEST).orElseThrow().total();

        FitVerdict verdict = ModelFit.judge(llama, REQUEST, new Headroom(OptionalLong.of(1000), Limit.HOST, need));

        assertThat(verdict.fit()).isEqualTo(Fit.TIGHT);
        assertThat(verdict.headroom()).hasValue(need + 1000);
        assertThat(verdict.limit()).isEqualTo(Limit.HOST);
    }

    @Test
    void unknownHeadroom_isUnknownButTheNeedIsSaid() {
        FitVerdict verdict = ModelFit.judge(llama, REQUEST, Headroom.unknown(Limit.RAM));

        assertThat(verdict.fit()).isEqualTo(Fit.UNKNOWN);
        assertThat(verdict.need()).isPresent();
        assertThat(verdict.largestContext()).isEmpty();
    }

    @Test
    void projectorOfUnknownSize_isUnknown() {
        FitVerdict verdict = judge(llama, REQUEST.withVision(true), 100_000 * MIB);

        assertThat(verdict.fit()).isEqualTo(Fit.UNKNOWN);
        assertThat(verdict.missing()).containsExactly("the size of the projector file");
    }

    @Test
    void projector_isAddedOnlyWithVision() {
        ModelShape seeing = llama.withProjector(600 * MIB);
        long without = ModelFit.need(seeing, REQUEST).orElseThrow().total();

        assertThat(ModelFit.need(seeing, REQUEST.withVision(true)).orElseThrow().total())
                .isEqualTo(without + 600 * MIB);
        assertThat(ModelFit.need(llama, REQUEST).orElseThrow().total()).isEqualTo(without);
    }

    @Test
    void weightsAloneTooLarge_exceedEvenWhereTheRestIsUnknown() {
        ModelShape unknown =
                new ShapeKeys("llama", Map.of(), new ShapeKeys.Tensors()).shape(OptionalLong.of(5000 * MIB));

        assertThat(judge(unknown, REQUEST, 4000 * MIB).fit()).isEqualTo(Fit.EXCEEDS);
        assertThat(judge(unknown, REQUEST, 6000 * MIB).fit()).isEqualTo(Fit.UNKNOWN);
        assertThat(judge(unknown, REQUEST, 6000 * MIB).missing()).contains("llama.block_count");
    }

    @Test
    void plentyOfRoom_proposesTheTrainedWindowAndNoMore() {
        assertThat(judge(llama, REQUEST, 1_000_000 * MIB).largestContext()).hasValue(131_072);
    }

    @Test
    void noRoom_proposesNoContext() {
        assertThat(judge(llama, REQUEST, 1000 * MIB).largestContext()).isEmpty();
    }

    @Test
    void gpu_needsMoreThanTheProcessorForTheSameModel() {
        MemoryNeed gpu = ModelFit.need(llama, REQUEST.withGpuLayers(true)).orElseThrow();

        assertThat(gpu.weights().bytes()).isEqualTo(llama.weightsBytes().orElseThrow() + llama.copiedBytes());
        assertThat(gpu.runtime().bytes()).isGreaterThan(300 * MIB);
    }

    @Test
    void hugeRequest_isUnknownNotNegative() {
        FitRequest huge = new FitRequest(
                Integer.MAX_VALUE,
                CacheType.F32,
                CacheType.F32,
                Integer.MAX_VALUE,
                Integer.MAX_VALUE,
                true,
                false,
                false);

        assertThat(ModelFit.need(llama, huge)).isEmpty();
        assertThat(judge(llama, huge, 100_000 * MIB).largestContext()).isEmpty();
    }

    @Test
    void requestBelowOne_isRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> FitRequest.of(0));
        assertThatIllegalArgumentException().isThrownBy(() -> REQUEST.withParallel(0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Headroom(OptionalLong.of(-1), Limit.POOL, 0));
    }

    private static FitVerdict judge(ModelShape shape, FitRequest request, long headroom) {
        return ModelFit.judge(shape, request, new Headroom(OptionalLong.of(headroom), Limit.RAM, 0));
    }

    private static Fit fit(long headroom) {
        return judge(llama, REQUEST, headroom).fit();
    }

    private static long cache(FitRequest request) {
        return ModelFit.need(llama, request).orElseThrow().cache().bytes();
    }

    private static ModelShape shape(String sample) {
        return new GgufReader()
                .read(ShapedGguf.write(sample, folder.resolve(sample + ".gguf")))
                .shape();
    }
}
