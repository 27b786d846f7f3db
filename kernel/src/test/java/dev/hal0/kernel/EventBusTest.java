package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class EventBusTest {
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-11-22T10:00:00Z"));

    private final EventBus bus = new EventBus(CLOCK);

    @Test
    void clientThatSawAnEvent_getsTheLaterOnesOnly() {
        Event first = publish(1);
        Event second = publish(2);
        Event third = publish(3);

        var resumption = bus.subscribe(first.id(), event -> {}).resumption();

        assertThat(resumption.complete()).isTrue();
        assertThat(resumption.missed()).containsExactly(second, third);
    }

    @Test
    void clientThatSawEverything_missesNothing() {
        publish(1);
        Event last = publish(2);

        assertThat(bus.subscribe(last.id(), event -> {}).resumption())
                .isEqualTo(new EventBus.Resumption(true, List.of()));
    }

    @Test
    void newClient_startsFromNow() {
        publish(1);
        var heard = new ArrayList<Event>();

        var subscription = bus.subscribe(null, heard::add);
        Event next = publish(2);

        assertThat(subscription.resumption()).isEqualTo(new EventBus.Resumption(true, List.of()));
        assertThat(heard).containsExactly(next);
    }

    @Test
    void oldestRetainedEventIsTheNextOne_isStillComplete() {
        Event seen = publish(0);
        for (int i = 1; i <= EventBus.RETAINED; i++) {
            publish(i);
        }

        var resumption = bus.subscribe(seen.id(), event -> {}).resumption();

        assertThat(resumption.complete()).isTrue();
        assertThat(resumption.missed()).hasSize(EventBus.RETAINED);
    }

    @Test
    void gapOlderThanRetention_isReported() {
        Event seen = publish(0);
        for (int i = 0; i <= EventBus.RETAINED; i++) {
            publish(i);
        }

        assertThat(bus.subscribe(seen.id(), event -> {}).resumption())
                .isEqualTo(new EventBus.Resumption(false, List.of()));
    }

    @Test
    void idOfAnotherLife_isAGap() {
        Event ofAnotherLife = new EventBus(InstantSource.fixed(Instant.EPOCH)).publish("slot.state", "chat", "x");

        assertThat(bus.subscribe(ofAnotherLife.id(), event -> {}).resumption().complete())
                .isFalse();
    }

    @Test
    void idOfTheFutureOrNoIdAtAll_isAGap() {
        Event last = publish(1);
        String epoch = last.id().substring(0, last.id().indexOf('-'));

        for (String id : List.of(epoch + "-99", epoch + "-", epoch + "-x", epoch + "--1", "", "garbage")) {
            assertThat(bus.subscribe(id, event -> {}).resumption().complete())
                    .as(id)
                    .isFalse();
        }
    }

    @Test
    void concurrentPublishers_reachEveryListenerInOneOrder() throws Exception {
        var left = new ArrayList<Event>();
        var right = new ArrayList<Event>();
        bus.subscribe(null, left::add);
        bus.subscribe(null, right::add);
        var barrier = new CyclicBarrier(4);
        try (var threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> publishers = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                publishers.add(threads.submit(() -> {
                    barrier.await();
                    for (int i = 0; i < 100; i++) {
                        publish(i);
                    }
                    return null;
                }));
            }
            for (Future<?> publisher : publishers) {
                publisher.get();
            }
        }

        assertThat(left).hasSize(400).isEqualTo(right).isEqualTo(bus.recent(400));
        assertThat(left.stream().map(event -> Long.parseLong(event.id().split("-")[1])))
                .isSorted()
                .doesNotHaveDuplicates();
    }

    /** Guards against a dead dashboard connection that breaks the state change which published. */
    @Test
    void throwingListener_harmsNeitherPublisherNorOthers() {
        var heard = new ArrayList<Event>();
        bus.subscribe(null, event -> {
            throw new IllegalStateException("connection closed");
        });
        bus.subscribe(null, heard::add);

        Event event = publish(1);

        assertThat(heard).containsExactly(event);
    }

    @Test
    void oneListenerSubscribedTwice_closingOneTwiceLeavesTheOther() {
        var heard = new ArrayList<Event>();
        Consumer<Event> listener = heard::add;
        var first = bus.subscribe(null, listener);
        bus.subscribe(null, listener);

        first.close();
        first.close();
        publish(1);

        assertThat(heard).hasSize(1);
    }

    @Test
    void listenerThatClosesItself_hearsNoMore() {
        var heard = new ArrayList<Event>();
        var own = new ArrayList<EventBus.Subscription>();
        own.add(bus.subscribe(null, event -> {
            heard.add(event);
            own.getFirst().close();
        }));

        publish(1);
        publish(2);

        assertThat(heard).hasSize(1);
    }

    @Test
    void recent_isBoundedAndOldestFirst() {
        Event first = publish(1);
        Event second = publish(2);

        assertThat(bus.recent(10)).containsExactly(first, second);
        assertThat(bus.recent(1)).containsExactly(second);
        assertThat(bus.recent(-1)).isEmpty();
    }

    private Event publish(int value) {
        return bus.publish("slot.state", "chat", value);
    }
}
