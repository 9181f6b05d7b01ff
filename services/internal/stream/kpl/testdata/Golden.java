import com.amazonaws.kinesis.agg.RecordAggregator;
import com.amazonaws.services.kinesis.clientlibrary.types.UserRecord;
import com.amazonaws.services.kinesis.model.Record;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Date;
import java.util.List;

/**
 * Writes java.bin with AWS's own module, and reads tandem.bin, which the package's test
 * wrote, as the KCL does: with the rule that a user record whose hash key lies outside
 * of the shard is dropped. With com.amazonaws:amazon-kinesis-aggregator:1.0.3 and what
 * it needs on the class path (mvn dependency:build-classpath):
 *
 *     java -cp "$CLASSPATH" Golden.java
 */
public class Golden {
    record One(String key, String hashKey, byte[] data) {}

    public static void main(String[] args) throws Exception {
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) all[i] = (byte) i;
        List<One> records = List.of(
            new One("driver-1", null, "one".getBytes(StandardCharsets.UTF_8)),
            new One("driver-2", "0", "two".getBytes(StandardCharsets.UTF_8)),
            new One("driver-1", "340282366920938463463374607431768211455", all),
            new One("conductora-ñ-7", null, "x".repeat(300).getBytes(StandardCharsets.UTF_8)));

        RecordAggregator agg = new RecordAggregator();
        for (One r : records) {
            if (agg.addUserRecord(r.key, r.hashKey, r.data) != null) throw new AssertionError("it is full");
        }
        Files.write(Path.of("java.bin"), agg.clearAndGet().toRecordBytes());

        Record outer = new Record().withPartitionKey("driver-1").withSequenceNumber("1")
            .withApproximateArrivalTimestamp(new Date()).withData(ByteBuffer.wrap(Files.readAllBytes(Path.of("tandem.bin"))));
        BigInteger bucket = new BigInteger("63802943797675961899382738893456539648");
        List<UserRecord> got = UserRecord.deaggregate(List.of(outer), bucket, bucket);
        if (got.size() != records.size()) throw new AssertionError(got.size() + " user records");
        for (int i = 0; i < got.size(); i++) {
            UserRecord r = got.get(i);
            byte[] data = new byte[r.getData().remaining()];
            r.getData().get(data);
            boolean same = r.getPartitionKey().equals(records.get(i).key) && r.getSubSequenceNumber() == i && java.util.Arrays.equals(data, records.get(i).data);
            if (!same) throw new AssertionError(r.toString());
        }

        // Another shard's reader takes none of them. (This KCL then hands the aggregate on as
        // it is, as one record that it takes for somebody's own.)
        List<UserRecord> outside = UserRecord.deaggregate(List.of(outer), bucket.add(BigInteger.ONE), bucket.add(BigInteger.TEN));
        if (outside.stream().anyMatch(UserRecord::isAggregated)) throw new AssertionError("read outside of the shard");
        System.out.println("wrote java.bin; read " + got.size() + " user records of tandem.bin");
    }
}
