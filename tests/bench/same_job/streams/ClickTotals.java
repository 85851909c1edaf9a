import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The small job in Kafka Streams: a processor with a logged RocksDB store, one thread, at least
 * once. Arguments: BOOTSTRAP INPUT OUTPUT APP_ID FOLDER CLICK_SCHEMA_FILE.
 */
public final class ClickTotals {
    private static final String STORE = "totals";
    private static final int HEADER_BYTES = 5;
    private static final byte[] TOTALS_HEADER = ByteBuffer.allocate(5).put((byte) 0).putInt(900).array();
    private static final Schema TOTALS = SchemaBuilder.record("ClickTotals").fields()
            .requiredString("customer_id").requiredLong("seen").requiredLong("dwell_ms")
            .requiredLong("price_minor").requiredLong("last_ms").endRecord();

    private static final class Totalling implements Processor<byte[], byte[], byte[], byte[]> {
        private final GenericDatumReader<GenericRecord> reader;
        private final GenericDatumWriter<GenericRecord> writer = new GenericDatumWriter<>(TOTALS);
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<byte[], byte[]> store;
        private BinaryDecoder decoder;
        private BinaryEncoder encoder;
        private GenericRecord click;

        Totalling(Schema clicks) {
            reader = new GenericDatumReader<>(clicks);
        }

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            this.store = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            First.seen();
            try {
                byte[] value = record.value();
                decoder = DecoderFactory.get()
                        .binaryDecoder(value, HEADER_BYTES, value.length - HEADER_BYTES, decoder);
                click = reader.read(click, decoder);
                byte[] known = store.get(record.key());
                ByteBuffer old = ByteBuffer.wrap(known == null ? new byte[32] : known);
                long seen = old.getLong() + 1;
                long dwell = old.getLong() + (Long) click.get("dwell_ms");
                long price = old.getLong() + (Long) click.get("price_minor");
                long last = Math.max(old.getLong(), (Long) click.get("occurred_at"));
                store.put(record.key(), ByteBuffer.allocate(32).putLong(seen).putLong(dwell)
                        .putLong(price).putLong(last).array());
                context.forward(record.withValue(
                        encoded(click.get("customer_id").toString(), seen, dwell, price, last)));
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        private byte[] encoded(String customer, long seen, long dwell, long price, long last)
                throws IOException {
            GenericRecord totals = new GenericData.Record(TOTALS);
            totals.put("customer_id", customer);
            totals.put("seen", seen);
            totals.put("dwell_ms", dwell);
            totals.put("price_minor", price);
            totals.put("last_ms", last);
            bytes.reset();
            bytes.write(TOTALS_HEADER);
            encoder = EncoderFactory.get().binaryEncoder(bytes, encoder);
            writer.write(totals, encoder);
            encoder.flush();
            return bytes.toByteArray();
        }
    }

    private static final class First {
        private static boolean begun;

        static void seen() {
            if (!begun) {
                begun = true;
                System.out.println("first " + System.currentTimeMillis() * 1_000_000L);
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        Schema clicks = new Schema.Parser().parse(Files.readString(Path.of(arguments[5])));
        Topology topology = new Topology()
                .addSource("clicks", Serdes.ByteArray().deserializer(),
                        Serdes.ByteArray().deserializer(), arguments[1])
                .addProcessor("totalling", () -> new Totalling(clicks), "clicks")
                .addStateStore(Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE),
                        Serdes.ByteArray(), Serdes.ByteArray())
                        .withCachingEnabled().withLoggingEnabled(Map.of()), "totalling")
                .addSink("totals", arguments[2], Serdes.ByteArray().serializer(),
                        Serdes.ByteArray().serializer(), "totalling");
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[3]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[4]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        // As often as ours; the default of 30 s would not come once within a run.
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
        settings.put(StreamsConfig.producerPrefix("compression.type"), "lz4");
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        KafkaStreams streams = new KafkaStreams(topology, settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
