import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ConsumerStatus;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.InvalidArgumentException;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEvent;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.InvalidParameterException;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueDoesNotExistException;
import software.amazon.awssdk.services.sqs.model.SendMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.TooManyEntriesInBatchRequestException;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * Drives the emulator with AWS's SDK for Java, each client with its defaults: the environment names
 * endpoint, region and keys, and nothing else is set. Kinesis's clients then speak CBOR, and the
 * asynchronous one HTTP/2 from the first byte on.
 *
 * <p>One line a check; exit 1 if one failed.
 */
public class Check {
  static final KinesisClient kinesis = KinesisClient.create();
  static final KinesisAsyncClient kinesisAsync = KinesisAsyncClient.create();
  static final SqsClient sqs = SqsClient.create();
  static final SqsAsyncClient sqsAsync = SqsAsyncClient.create();
  static final SnsClient sns = SnsClient.create();
  static final StsClient sts = StsClient.create();

  static final String FIRST_SHARD = "shardId-000000000000";

  interface Step {
    void run() throws Exception;
  }

  static int total;
  static int failed;

  static void check(String name, Step step) {
    total++;
    long began = System.nanoTime();
    String verdict = "ok  ";
    String why = "";
    try {
      step.run();
    } catch (Throwable e) {
      failed++;
      verdict = "FAIL";
      why = "\n     " + e + " at " + (e.getStackTrace().length > 0 ? e.getStackTrace()[0] : "");
    }
    System.out.printf("%s %s (%d ms)%s%n", verdict, name, (System.nanoTime() - began) / 1_000_000, why);
  }

  static void equal(Object want, Object got) {
    if (!want.equals(got)) {
      throw new AssertionError("want " + want + ", got " + got);
    }
  }

  static void yes(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  static <T> T eventually(String what, Supplier<T> f) throws InterruptedException {
    for (Instant end = Instant.now().plusSeconds(30); Instant.now().isBefore(end); Thread.sleep(50)) {
      T got = f.get();
      if (got != null) {
        return got;
      }
    }
    throw new AssertionError(what + ": not within 30 s");
  }

  /** The error must be of the model's class, with a code and the answer's id. */
  static void refused(Class<? extends AwsServiceException> kind, String code, Runnable call) {
    try {
      call.run();
    } catch (CompletionException | AwsServiceException e) {
      AwsServiceException got = (AwsServiceException) (e instanceof CompletionException ? e.getCause() : e);
      yes(kind.isInstance(got), got + " is no " + kind.getSimpleName());
      equal(code, got.awsErrorDetails().errorCode());
      yes(got.requestId() != null && got.requestId().length() == 36, "its id is " + got.requestId());
      return;
    }
    throw new AssertionError("must be refused with " + code);
  }

  static String unique() {
    return "java-" + UUID.randomUUID().toString().substring(0, 12);
  }

  static String queue(String suffix, Map<QueueAttributeName, String> attributes) {
    return sqs.createQueue(b -> b.queueName(unique() + suffix).attributes(attributes)).queueUrl();
  }

  static List<Message> receive(String url) {
    return sqs.receiveMessage(b -> b.queueUrl(url).maxNumberOfMessages(10).waitTimeSeconds(5)
        .messageAttributeNames("All").messageSystemAttributeNames(MessageSystemAttributeName.ALL)).messages();
  }

  static String stream(int shards) {
    String name = unique();
    kinesis.createStream(b -> b.streamName(name).shardCount(shards));
    kinesis.waiter().waitUntilStreamExists(b -> b.streamName(name));
    return name;
  }

  static GetRecordsResponse read(String stream, String shard) {
    String it = kinesis.getShardIterator(b -> b.streamName(stream).shardId(shard)
        .shardIteratorType(ShardIteratorType.AT_TIMESTAMP).timestamp(Instant.now().minusSeconds(60))).shardIterator();
    return kinesis.getRecords(b -> b.shardIterator(it));
  }

  static SdkBytes data(String text) {
    return SdkBytes.fromUtf8String(text);
  }

  static void sqsSendReceiveDelete() {
    String url = queue("", Map.of());
    String id = sqs.sendMessage(b -> b.queueUrl(url).messageBody("hello ∑ 😀").messageAttributes(Map.of(
        "kind", MessageAttributeValue.builder().dataType("String").stringValue("x").build(),
        "blob", MessageAttributeValue.builder().dataType("Binary").binaryValue(SdkBytes.fromByteArray(new byte[] {0, -1})).build())))
        .messageId(); // the SDK checks the MD5s by itself
    Message m = receive(url).get(0);
    equal(id, m.messageId());
    equal("hello ∑ 😀", m.body());
    equal(-1, (int) m.messageAttributes().get("blob").binaryValue().asByteArray()[1]);
    sqs.deleteMessage(b -> b.queueUrl(url).receiptHandle(m.receiptHandle()));
    equal("0", sqs.getQueueAttributes(b -> b.queueUrl(url).attributeNames(QueueAttributeName.ALL))
        .attributes().get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE));
  }

  static void sqsBatchFailsInPart() {
    String url = queue("", Map.of());
    List<SendMessageBatchRequestEntry> entries = IntStream.range(0, 11).mapToObj(i -> SendMessageBatchRequestEntry.builder()
        .id("" + i).messageBody("m" + i).delaySeconds(i == 3 ? 901 : 0).build()).toList();
    var out = sqs.sendMessageBatch(b -> b.queueUrl(url).entries(entries.subList(0, 10)));
    equal(9, out.successful().size());
    equal("3", out.failed().get(0).id());
    refused(TooManyEntriesInBatchRequestException.class, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        () -> sqs.sendMessageBatch(b -> b.queueUrl(url).entries(entries)));
  }

  static void sqsFifo() {
    String url = queue(".fifo", Map.of(QueueAttributeName.FIFO_QUEUE, "true", QueueAttributeName.CONTENT_BASED_DEDUPLICATION, "true"));
    for (String body : List.of("a1", "a1", "a2")) {
      sqs.sendMessage(b -> b.queueUrl(url).messageBody(body).messageGroupId("a"));
    }
    equal(List.of("a1", "a2"), receive(url).stream().map(Message::body).toList());
  }

  static void sqsErrors() {
    refused(QueueDoesNotExistException.class, "AWS.SimpleQueueService.NonExistentQueue", () -> sqs.getQueueUrl(b -> b.queueName(unique())));
  }

  static void sqsAsynchronous() {
    String url = queue("", Map.of());
    sqsAsync.sendMessage(b -> b.queueUrl(url).messageBody("x")).join();
    equal("x", sqsAsync.receiveMessage(b -> b.queueUrl(url).waitTimeSeconds(5)).join().messages().get(0).body());
  }

  static void kinesisPutGet() {
    String name = stream(2);
    var put = kinesis.putRecords(b -> b.streamName(name).records(IntStream.range(0, 100).mapToObj(i -> PutRecordsRequestEntry.builder()
        .partitionKey("ключ" + i).data(SdkBytes.fromByteArray(new byte[] {(byte) i, -1})).build()).toList()));
    equal(0, put.failedRecordCount());
    yes(put.responseMetadata().requestId().length() == 36, "an id");

    List<Integer> got = new ArrayList<>();
    kinesis.listShards(b -> b.streamName(name)).shards().forEach(shard -> {
      GetRecordsResponse page = read(name, shard.shardId());
      equal(0L, page.millisBehindLatest());
      for (Record r : page.records()) {
        yes(Duration.between(r.approximateArrivalTimestamp(), Instant.now()).abs().toSeconds() < 60, "it arrived at " + r.approximateArrivalTimestamp());
        got.add((int) r.data().asByteArray()[0]);
      }
    });
    equal(IntStream.range(0, 100).boxed().toList(), got.stream().sorted().toList());
    Instant created = kinesis.describeStreamSummary(b -> b.streamName(name)).streamDescriptionSummary().streamCreationTimestamp();
    yes(Duration.between(created, Instant.now()).abs().toSeconds() < 60, "it was created at " + created);
  }

  static void kinesisSplit() {
    String name = stream(1);
    kinesis.splitShard(b -> b.streamName(name).shardToSplit(FIRST_SHARD).newStartingHashKey(BigInteger.TWO.pow(127).toString()));
    GetRecordsResponse page = read(name, FIRST_SHARD);
    yes(page.nextShardIterator() == null, "the shard has ended");
    equal(2, page.childShards().size());
  }

  static void kinesisErrors() {
    refused(ResourceNotFoundException.class, "ResourceNotFoundException", () -> kinesis.describeStreamSummary(b -> b.streamName(unique())));
    refused(InvalidArgumentException.class, "InvalidArgumentException", () -> kinesis.getRecords(b -> b.shardIterator("nonsense")));
    refused(AwsServiceException.class, "UnsupportedOperation", () -> kinesis.listTagsForStream(b -> b.streamName(unique())));
    refused(ResourceNotFoundException.class, "ResourceNotFoundException", () -> kinesisAsync.describeStreamSummary(b -> b.streamName(unique())).join());
  }

  static void kinesisAsynchronous() {
    String name = stream(1);
    kinesisAsync.putRecord(b -> b.streamName(name).partitionKey("k").data(data("x"))).join();
    equal("x", read(name, FIRST_SHARD).records().get(0).data().asUtf8String());
  }

  static void kinesisSubscribeToShard() throws Exception {
    String name = stream(1);
    String arn = kinesis.describeStreamSummary(b -> b.streamName(name)).streamDescriptionSummary().streamARN();
    String consumer = kinesis.registerStreamConsumer(b -> b.streamARN(arn).consumerName("reader")).consumer().consumerARN();
    eventually("the consumer is ACTIVE", () -> kinesis.describeStreamConsumer(b -> b.consumerARN(consumer))
        .consumerDescription().consumerStatus() == ConsumerStatus.ACTIVE ? true : null);

    List<String> got = java.util.Collections.synchronizedList(new ArrayList<>());
    var subscription = kinesisAsync.subscribeToShard(
        b -> b.consumerARN(consumer).shardId(FIRST_SHARD).startingPosition(p -> p.type(ShardIteratorType.TRIM_HORIZON)),
        SubscribeToShardResponseHandler.builder().subscriber(event -> {
          if (event instanceof SubscribeToShardEvent e) {
            e.records().forEach(r -> got.add(r.data().asUtf8String()));
          }
        }).build());

    for (int i = 0; i < 10; i++) { // pushed while it is open
      int n = i;
      kinesis.putRecord(b -> b.streamName(name).partitionKey("k").data(data("" + n)));
      eventually("record " + n, () -> got.size() == n + 1 ? true : null);
    }
    equal(IntStream.range(0, 10).mapToObj(i -> "" + i).toList(), List.copyOf(got));

    // The shard's end ends the answer, without an error.
    kinesis.splitShard(b -> b.streamName(name).shardToSplit(FIRST_SHARD).newStartingHashKey(BigInteger.TWO.pow(127).toString()));
    subscription.get(30, TimeUnit.SECONDS);
  }

  static void snsAndSts() {
    yes(!sns.publish(b -> b.phoneNumber("+15555550100").message("your car is here")).messageId().isEmpty(), "a message id");
    refused(InvalidParameterException.class, "InvalidParameter", () -> sns.publish(b -> b.phoneNumber("nonsense").message("x")));
    equal(12, sts.getCallerIdentity().account().length());
  }

  public static void main(String[] args) {
    check("sqs_send_receive_delete", Check::sqsSendReceiveDelete);
    check("sqs_batch_fails_in_part", Check::sqsBatchFailsInPart);
    check("sqs_fifo", Check::sqsFifo);
    check("sqs_errors", Check::sqsErrors);
    check("sqs_asynchronous", Check::sqsAsynchronous);
    check("kinesis_put_get", Check::kinesisPutGet);
    check("kinesis_split", Check::kinesisSplit);
    check("kinesis_errors", Check::kinesisErrors);
    check("kinesis_asynchronous", Check::kinesisAsynchronous);
    check("kinesis_subscribe_to_shard", Check::kinesisSubscribeToShard);
    check("sns_and_sts", Check::snsAndSts);
    System.out.printf("%d of %d passed (AWS SDK for Java %s; Java %s)%n", total - failed, total, VersionInfo.SDK_VERSION, Runtime.version());
    System.exit(failed > 0 ? 1 : 0); // not all of the clients' threads are daemons
  }
}
