package startup_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/bench"
	"github.com/relight-aws/relight/internal/bench/startup"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

var (
	binaries = flag.Bool("binaries", false, "build the functions for every processor, and measure their packages and starts")
	rounds   = flag.Int("rounds", 30, "how many times to start each function")
)

// What a function may need. The aim for the start is 1.5 times: docs/adr/0032-start-and-size.md
// says what is missing. The bound keeps what is reached.
const (
	mostBytes = 5_000_000 // of a package
	mostTimes = 2.1       // the start of an empty function, the fastest of each
)

// larger are the packages that may be larger: the sweep needs every client, and code for
// x86-64 is larger than for arm64.
var larger = map[string]int{string(catalog.Backfill) + "/x86_64": 5_500_000}

// empty is the function that others are compared with.
const empty = "empty"

// environment returns what Lambda and the stack set for a function.
func environment() []string {
	const arn = "arn:aws:%:eu-west-1:111122223333:relight"
	on := func(service string) string { return strings.Replace(arn, "%", service, 1) }
	role := "arn:aws:iam::111122223333:role/relight-alarms"
	return []string{
		"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=session",
		"AWS_LAMBDA_FUNCTION_NAME=relight-alarms", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "LAMBDA_TASK_ROOT=/var/task",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023", "PATH=/usr/bin:/bin", "LANG=en_US.UTF-8", "TZ=:UTC",
		catalog.EnvAccount + "=111122223333", catalog.EnvHomeRegion + "=eu-west-1", catalog.EnvTopic + "=" + on("sns"), catalog.EnvLastResort + "=" + on("sns") + "-last",
		catalog.EnvTopicKey + "=arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
		catalog.EnvDeliveryRole + "=" + role, catalog.EnvRole + "=" + role, catalog.EnvSweepRole + "=" + role, catalog.EnvScheduleRole + "=" + role,
		catalog.EnvDeadLetters + "=alarms=relight-alarms-dead sweep=relight-sweep-dead", catalog.EnvSchedule + "=relight-sweep", catalog.EnvLogs + "=-0123abcd",
	}
}

// build builds the functions and the empty one for a processor, as a deployment does, and
// returns their binaries by name.
func build(t *testing.T, out, arch string) map[string]string {
	t.Helper()
	for _, programs := range []string{"./functions/...", "./internal/bench/emptylambda"} {
		cmd := exec.CommandContext(t.Context(), "make", "-s", "functions", "RELIGHT_ARCH="+arch, "out="+out, "programs="+programs)
		cmd.Dir = filepath.Join("..", "..", "..")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s, which needs make: %v\n%s", programs, err, said)
		}
	}
	built := map[string]string{empty: filepath.Join(out, arch, "emptylambda")}
	for _, f := range catalog.Binaries() {
		built[string(f)] = filepath.Join(out, arch, string(f))
	}
	return built
}

// unpacked writes a binary and its configuration to a folder, as Lambda unpacks them.
func unpacked(t *testing.T, binary string, cfg []byte) string {
	t.Helper()
	dir := t.TempDir()
	raw, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "bootstrap")
	if err := os.WriteFile(at, raw, 0o755); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, catalog.ConfigFile), cfg, 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

// Every function's package is small and starts about as quickly as one that does nothing
// but load the SDK's configuration.
func TestBinaries(t *testing.T) {
	if !*binaries {
		t.Log("without -binaries, nothing is built and measured")
		return
	}
	parsed, err := config.Parse([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := json.MarshalIndent(parsed, "", "  ") // as the stack's build writes it
	if err != nil {
		t.Fatal(err)
	}
	var figures []bench.Figure
	out := t.TempDir()
	here := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	programs := []startup.Program{}
	for _, arch := range []string{"arm64", "x86_64"} {
		for name, binary := range build(t, out, arch) {
			packed, err := startup.Package(binary, cfg)
			if err != nil {
				t.Fatal(err)
			}
			figures = append(figures, bench.Figure{Name: "package/" + name + "/" + arch, Value: float64(packed), Unit: "bytes"})
			if most := cmp.Or(larger[name+"/"+arch], mostBytes); packed > most && name != empty {
				t.Errorf("the package of %s for %s has %d bytes, want at most %d", name, arch, packed, most)
			}
			if arch == here {
				programs = append(programs, startup.Program{Name: name, Binary: unpacked(t, binary, cfg), Env: environment()})
			}
		}
	}
	starts, err := startup.Measure(t.Context(), programs, *rounds)
	if err != nil {
		t.Fatal(err)
	}
	none := startup.Median(starts[empty])
	for name, of := range starts {
		s := startup.Median(of)
		figures = append(figures, startup.Figures(name, s, none)...)
		times := func(one, other time.Duration) float64 { return float64(one) / float64(other) }
		fastest := times(startup.Fastest(of), startup.Fastest(starts[empty])) // on a busy machine, either figure may be off
		if most := min(fastest, times(s.ToPoll, none.ToPoll)); most > mostTimes && name != empty {
			t.Errorf("%s takes %.2f times as long to its first poll as an empty function, want at most %.1f times", name, most, mostTimes)
		}
	}
	fmt.Print(bench.Lines(startup.Sorted(figures)))
}

// A program that ends before it asks for work is no start, and the error says what it said.
func TestBrokenStart(t *testing.T) {
	script := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho no region >&2\nexit 3\n"), 0o755); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	_, err := startup.Once(t.Context(), startup.Program{Name: "broken", Binary: script})
	if err == nil || !strings.Contains(err.Error(), "no region") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
}

func TestMedian(t *testing.T) {
	got := startup.Median([]startup.Start{{ToPoll: 9 * time.Millisecond, Resident: 1}, {ToPoll: time.Millisecond, Resident: 3}, {ToPoll: 4 * time.Millisecond, Resident: 2}})
	if fast := startup.Fastest([]startup.Start{{ToPoll: 2}, {ToPoll: 1}, {ToPoll: 3}}); fast != 1 {
		t.Errorf("fastest %v", fast)
	}
	if want := (startup.Start{ToPoll: 4 * time.Millisecond, Resident: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
