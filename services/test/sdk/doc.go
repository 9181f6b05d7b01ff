// Package sdk drives the emulator with clients that nobody here wrote, each with
// its defaults, as their users have them:
//
//	python/      boto3, the AWS CLI v1, and AWS's module for aggregated records:
//	             pinned in requirements.txt, with their hashes
//	javascript/  AWS's SDK for JavaScript v3 on Node.js: pinned in package-lock.json
//	java/        AWS's SDK for Java v2, with Maven: pinned in pom.xml
//
// Each folder has a script that checks SQS, Kinesis with its fan-out, SNS and STS,
// prints a line a check and last the versions, and ends with 1 if one failed. It
// runs against any endpoint that the environment names; the scripts say how. The
// SDK for Go is what every other test of the emulator drives it with.
//
// python/aggregation.py reads what Tandem's producer has packed, and packs what Tandem's
// reader then unpacks, through a split of the shard; the test tells it what to do. Java's
// module has golden files (services/internal/stream/kpl/testdata).
//
// make sdk (TANDEM_SDK=1) runs them: the packages are installed once, into the
// user's cache. Where a language is missing its test is skipped, and -v prints
// that; where it is there, but its packages cannot be installed, the test is
// skipped too, except in CI, where it fails.
package sdk
