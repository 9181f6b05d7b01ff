"""Writes python.bin with AWS's own module, and reads tandem.bin with it, which the
package's test wrote:

    python3 -m pip install aws_kinesis_agg==1.2.3
    python3 golden.py
"""
import base64
import pathlib

from aws_kinesis_agg import aggregator, deaggregator

here = pathlib.Path(__file__).parent
records = [
    ("driver-1", None, b"one"),
    ("driver-2", "0", b"two"),
    ("driver-1", "340282366920938463463374607431768211455", bytes(range(256))),
    ("conductora-ñ-7", None, b"x" * 300),
]


def main():
    agg = aggregator.RecordAggregator()
    for key, hash_key, data in records:
        assert agg.add_user_record(key, data, hash_key) is None, "it is full"
    (here / "python.bin").write_bytes(agg.clear_and_get().get_contents()[2])

    outer = {"kinesis": {
        "kinesisSchemaVersion": "1.0", "sequenceNumber": "1", "approximateArrivalTimestamp": 0,
        "partitionKey": "driver-1", "data": base64.b64encode((here / "tandem.bin").read_bytes()),
    }}
    got = [r["kinesis"] for r in deaggregator.deaggregate_records([outer])]
    want = [(key, i, data) for i, (key, _, data) in enumerate(records)]
    assert [(r["partitionKey"], r["subSequenceNumber"], base64.b64decode(r["data"])) for r in got] == want, got
    assert {r["explicitHashKey"] for r in got} == {"63802943797675961899382738893456539648"}, got
    print(f"wrote python.bin; read {len(got)} user records of tandem.bin")


if __name__ == "__main__":
    main()
