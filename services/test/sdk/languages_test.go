package sdk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPython(t *testing.T) {
	dir, env, python := installPython(t)
	check(t, dir, env, python, "check.py")
}

// installPython returns the folder that has the scripts, and what they are run with.
func installPython(t *testing.T) (dir string, env []string, python string) {
	t.Helper()
	wanted(t)
	python = program(t, "python3")
	version, err := exec.Command(python, "-c", "import sys; assert sys.version_info >= (3, 9), sys.version; print(sys.version, sys.prefix)").CombinedOutput()
	if err != nil {
		t.Skipf("NOT TESTED: Python 3.9 or later is needed: %s", version)
	}

	dir = prepare(t, "python", version, "check.py", "aggregation.py", "requirements.txt")
	packages := filepath.Join(dir, "packages")
	if exec.Command(python, "-m", "pip", "--version").Run() != nil {
		venv := filepath.Join(dir, "venv") // Debian's Python may lack pip, and have it here
		if out, err := exec.Command(python, "-m", "venv", venv).CombinedOutput(); err != nil {
			t.Skipf("NOT TESTED: this Python has neither pip nor venv: %s", out)
		}
		python = filepath.Join(venv, "bin", "python")
	}
	install(t, dir, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target", packages, "-r", "requirements.txt")
	return dir, []string{"PYTHONPATH=" + packages, "PYTHONDONTWRITEBYTECODE=1", "AWS_PAGER="}, python
}

func TestJavaScript(t *testing.T) {
	wanted(t)
	node, npm := program(t, "node"), program(t, "npm")
	version, err := exec.Command(node, "-e", "console.log(process.version); process.exit(process.versions.node.split('.')[0] >= 20 ? 0 : 1)").CombinedOutput()
	if err != nil {
		t.Skipf("NOT TESTED: Node.js 20 or later is needed: %s", version)
	}

	dir := prepare(t, "javascript", version, "check.mjs", "package.json", "package-lock.json", ".npmrc")
	install(t, dir, npm, "ci")
	check(t, dir, nil, node, "--no-warnings", "check.mjs")
}

func TestJava(t *testing.T) {
	wanted(t)
	java, maven := program(t, "java"), program(t, "mvn")
	version, err := exec.Command(java, "--list-modules").CombinedOutput()
	_, after, _ := strings.Cut(string(version), "java.base@")
	if major, _, _ := strings.Cut(after, "."); err != nil || len(major) < 2 || major[:2] < "17" || !strings.Contains(string(version), "jdk.compiler@") {
		t.Skipf("NOT TESTED: a JDK, 17 or later, is needed: %s", version)
	}

	dir := prepare(t, "java", version, "Check.java", "pom.xml")
	install(t, dir, maven, "--quiet", "--batch-mode", "dependency:build-classpath", "-Dmdep.outputFile=classpath")
	classpath, err := os.ReadFile(filepath.Join(dir, "classpath"))
	require.NoError(t, err)

	// Maven keeps the libraries in a folder of its own, which may have been cleared.
	for _, jar := range filepath.SplitList(string(classpath)) {
		if _, err := os.Stat(jar); err != nil {
			require.NoError(t, os.Remove(filepath.Join(dir, "ready")))
			t.Fatalf("Maven's folder lacks %s: run it again", jar)
		}
	}
	check(t, dir, nil, java, "-Dfile.encoding=UTF-8", "-cp", string(classpath), "Check.java")
}
