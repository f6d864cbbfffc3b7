package releasetest

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// bucket is the operator's own.
const bucket = "packages-" + lab.Account

// An archive deploys into an account that nothing of the CDK has touched, with the
// commands of its README, and relight restores there. Once the stack is deleted, relight
// remove leaves nothing of relight's in any region, and everything of the customer's.
func TestRelease(t *testing.T) {
	checkout, err := lab.Checkout()
	if err != nil {
		t.Fatal(err)
	}
	unpacked, command := build(t, checkout)

	cloud, err := lab.Start(t.Context(), lab.Options{Venv: filepath.Join(checkout, ".venv")})
	if err != nil {
		t.Fatal(err)
	}
	defer cloud.Close()
	customer, err := lab.NewCustomer(t.Context(), cloud)
	if err != nil {
		t.Fatal(err)
	}
	a := &lab.Arena{Cloud: cloud, Prefix: "relight", Customer: customer}
	root := cloud.Root().In(lab.Region)
	aws := func(args ...string) string {
		t.Helper()
		out, err := root.AWS(t.Context(), args...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}

	defer func() {
		if t.Failed() {
			log, err := root.AWS(context.Background(), "logs", "filter-log-events", "--log-group-name", "/aws/lambda/relight-backfill", "--output", "text", "--query", "events[].[message]")
			t.Logf("the sweep's log, %v:\n%s", err, log)
		}
	}()
	aws("s3", "mb", "s3://"+bucket)
	begin := time.Now()
	aws("s3", "cp", "--only-show-errors", "--recursive", filepath.Join(unpacked, "assets"), "s3://"+bucket+"/relight/")
	aws("cloudformation", "deploy", "--stack-name", "relight", "--template-file", filepath.Join(unpacked, lab.Region, "relight.template.json"),
		"--capabilities", "CAPABILITY_NAMED_IAM", "--s3-bucket", bucket, "--s3-prefix", "relight",
		"--parameter-overrides", "AssetBucket="+bucket, "AssetPrefix=relight/",
		`Config={"subscribers":[{"protocol":"email","endpoint":"`+lab.Subscriber+`"}],"controls":{"root-usage":{"threshold":5}}}`)
	t.Logf("deployed in %.0f s", time.Since(begin).Seconds())
	if got := aws("cloudformation", "describe-stacks", "--stack-name", "relight", "--output", "text", "--query", "Stacks[0].Outputs[?OutputKey=='Version'].OutputValue"); got != version {
		t.Errorf("the stack is of version %q, want %s", got, version)
	}

	wait(t, "the first sweep", func(ctx context.Context) (string, error) {
		missing, err := a.Missing(ctx)
		missing = slices.DeleteFunc(missing, func(m string) bool { return strings.Contains(m, " subnet-") || strings.Contains(m, " eni-") }) // the lab's configuration chooses them
		return strings.Join(missing, "; "), err
	})
	if err := cloud.ConfirmSubscriptions(t.Context()); err != nil {
		t.Fatal(err)
	}
	threshold := func(context.Context) (string, error) {
		got := aws("cloudwatch", "describe-alarms", "--alarm-names", "relight-root-usage", "--output", "text", "--query", "MetricAlarms[0].Threshold")
		if got == "5.0" {
			return "", nil
		}
		return "the alarm's threshold is " + got, nil
	}
	wait(t, "the threshold of the parameter", threshold)
	begin = time.Now()
	if _, err := customer.Intruder.In(lab.Region).AWS(t.Context(), "cloudwatch", "delete-alarms", "--alarm-names", "relight-root-usage"); err != nil {
		t.Fatal(err)
	}
	wait(t, "the deleted alarm", threshold)
	t.Logf("restored after %.1f s", time.Since(begin).Seconds())

	relight := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), command, append([]string{"remove"}, args...)...)
		cmd.Dir = t.TempDir()
		cmd.Env = cloud.Root().Environ(lab.Region)
		out, _ := cmd.CombinedOutput() // the exit code says it
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Fatalf("relight remove %v ended with %d, want %d: %s", args, code, want, out)
		}
		return string(out)
	}
	if out := relight(1, "--yes"); !strings.Contains(out, "delete-stack --region "+lab.Region+" --stack-name relight") {
		t.Errorf("beside its stack, relight remove says %s", out)
	}
	aws("cloudformation", "delete-stack", "--stack-name", "relight")
	aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "relight")
	if out := relight(2, "--plan"); !strings.Contains(out, "- metric filter relight-root-usage of ") || !strings.Contains(out, "- topic relight-Topic") {
		t.Errorf("relight remove --plan says %s", out)
	}
	var done struct {
		SchemaVersion int `json:"schema_version"`
		Removed       []any
		Stays         []struct{ Sort, Region string }
	}
	if err := json.Unmarshal([]byte(lastLine(relight(0, "--yes", "--output", "json"))), &done); err != nil || done.SchemaVersion != 1 || len(done.Removed) < 2*len(catalog.Controls()) || len(done.Stays) < 2 {
		t.Errorf("relight remove says %+v, %v", done, err)
	}
	t.Logf("%d removed, %d stay without --logs: %+v", len(done.Removed), len(done.Stays), done.Stays)
	relight(0, "--yes", "--logs")
	if left, err := cloud.Leftovers(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("relight remove left %s, %v", strings.Join(left, "; "), err)
	}
	if out := relight(0, "--plan", "--logs"); !strings.Contains(out, "0 to remove, 0 removed, 0 not removed, 0 stay") {
		t.Errorf("afterwards relight remove says %s", out)
	}
	for _, args := range [][]string{
		{"cloudtrail", "get-trail", "--name", lab.TrailName},
		{"iam", "get-role", "--role-name", lab.TrailRole},
		{"s3api", "head-bucket", "--bucket", lab.TrailBucket},
		{"logs", "describe-log-streams", "--log-group-name", customer.TrailLogGroup},
		{"ec2", "describe-vpcs", "--vpc-ids", customer.VPCs[lab.Region][0]},
	} {
		aws(args...) // fails if it is gone
	}
}

// lastLine returns the last line of an output: a command says other things before.
func lastLine(out string) string {
	out = strings.TrimSpace(out)
	return out[strings.LastIndex(out, "\n")+1:]
}

// version is that of the archives that build makes.
const version = "9.8.7"

// build makes the archives of a release for this machine's processor, twice: both have the
// same checksums. It returns the folder with the files of the templates' archive, and the
// path of the command line.
func build(t *testing.T, checkout string) (unpacked, command string) {
	t.Helper()
	arch := "x86_64"
	if runtime.GOARCH == "arm64" {
		arch = "arm64"
	}
	var sums, dir string
	for range 2 {
		dir = t.TempDir()
		run(t, checkout, "make", "-s", "functions", dir+"/archive", dir+"/commands/linux_"+runtime.GOARCH, "out="+dir, "RELIGHT_ARCH="+arch, "VERSION=v"+version)
		run(t, checkout, dir+"/archive", "-out", dir+"/release", "-binaries", dir, "-commands", dir+"/commands", "-arch", arch, "-epoch", "1767225600")
		raw, err := os.ReadFile(filepath.Join(dir, "release", "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(raw); sums == "" {
			sums = got
		} else if got != sums || strings.Count(got, "\n") != 2 {
			t.Errorf("two builds have the checksums\n%s and\n%s", sums, got)
		}
	}
	t.Logf("checksums:\n%s", sums)
	return unpack(t, filepath.Join(dir, "release", "relight_"+version+"_cloudformation_"+arch+".zip")), dir + "/commands/linux_" + runtime.GOARCH + "/relight"
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath -buildvcs=false", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// unpack writes the files of a zip archive to a new folder.
func unpack(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// wait waits until done says that nothing is missing.
func wait(t *testing.T, what string, done func(context.Context) (missing string, err error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	last := "nothing was read"
	for {
		missing, err := done(ctx)
		switch {
		case err != nil:
			t.Fatalf("%s: %v; still missing: %s", what, err, last)
		case missing == "":
			return
		}
		last = missing
		select {
		case <-ctx.Done():
			t.Fatalf("%s: still missing: %s", what, last)
		case <-time.After(500 * time.Millisecond):
		}
	}
}
