// Package sdk drives the emulator with clients that nobody here wrote: boto3 and
// the AWS CLI, pinned in requirements.txt. check.py is the script; the test
// creates a virtual environment for it once, in the user's cache, and starts the
// emulator. If there is no Python, or its packages cannot be installed, the test is
// skipped and says so.
//
// The script runs against any endpoint:
//
//	python3 check.py http://127.0.0.1:4566
package sdk
