package labtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/probe"
)

// probePrefix names what the tests of relight probe make.
const probePrefix = "sandbox"

// TestProbe runs the real command against the local cloud, in which relight is
// not deployed. It sees most beliefs and leaves nothing.
func TestProbe(t *testing.T) {
	bin := probeBinary(t)
	run := startProbe(t, bin, "--output", "json", "--wait", "3s")
	out := run.end(t, 0)
	var rep probe.Report
	if err := json.Unmarshal(out, &rep); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, r := range rep.Results {
		t.Logf("%-42s %-8s %-10s %s%s", r.ID, r.Ref, r.Verdict, r.Seen, r.Why)
	}
	if len(rep.Results) != len(probe.Beliefs()) {
		t.Errorf("%d beliefs, want %d", len(rep.Results), len(probe.Beliefs()))
	}
	if n := rep.Count(probe.Agrees) + rep.Count(probe.Disagrees); n < 25 {
		t.Errorf("%d beliefs were seen, want 25 at least", n)
	}
	if i := slices.IndexFunc(rep.Results, func(r probe.Result) bool { return r.ID == "event-latency" }); rep.Results[i].Seconds == nil {
		t.Errorf("the time from call to event was not measured: %+v", rep.Results[i])
	}
	nothingLeft(t)
}

// TestProbeInterrupted interrupts the command while it makes things: nothing is
// left at any step.
func TestProbeInterrupted(t *testing.T) {
	bin := probeBinary(t)
	for _, step := range []string{ // internal/probe interrupts at every call
		"making EventBridge rule", "making CloudTrail trail", "making KMS key", "making alarm mute rule", "making flow log", "making SNS subscription",
		"removing what was made",
	} {
		t.Run(strings.ReplaceAll(step, " ", "-"), func(t *testing.T) {
			run := startProbe(t, bin, "--wait", "1s")
			run.await(t, step)
			run.interrupt(t)
			out := run.end(t, 1)
			if !bytes.Contains(out, []byte("not seen")) {
				t.Errorf("the table has nothing that was not seen:\n%s", out)
			}
			nothingLeft(t)
		})
	}
}

// TestProbeClean kills the command and cleans up with another one.
func TestProbeClean(t *testing.T) {
	bin := probeBinary(t)
	run := startProbe(t, bin, "--wait", "1s")
	run.await(t, "making flow log")
	if err := run.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	run.end(t, -1)
	if len(leftovers(t)) == 0 {
		t.Fatal("a killed run left nothing, so the test shows nothing")
	}
	startProbe(t, bin, "--clean").end(t, 0)
	nothingLeft(t)
}

func probeBinary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relight")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../../../cmd/relight").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// A probing is a running relight probe.
type probing struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	lines chan string // of its standard error
	said  []string
}

func startProbe(t *testing.T, bin string, args ...string) *probing {
	t.Helper()
	p := &probing{lines: make(chan string, 1000)}
	p.cmd = exec.CommandContext(t.Context(), bin, append([]string{"probe", "--yes", "--prefix", probePrefix}, args...)...)
	p.cmd.Dir = t.TempDir() // no cdk.json here
	p.cmd.Env = cloud.Root().Environ(lab.Region)
	p.cmd.Stdout = &p.out
	errs, err := p.cmd.StderrPipe()
	must(t, err)
	must(t, p.cmd.Start())
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(errs); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	return p
}

// await reads what the command says until a line begins with a text.
func (p *probing) await(t *testing.T, text string) {
	t.Helper()
	limit := time.After(2 * time.Minute)
	for {
		select {
		case line, open := <-p.lines:
			p.said = append(p.said, line)
			if strings.HasPrefix(line, text) {
				return
			}
			if !open {
				t.Fatalf("the command never said %q:\n%s", text, strings.Join(p.said, "\n"))
			}
		case <-limit:
			t.Fatalf("the command did not say %q in time:\n%s", text, strings.Join(p.said, "\n"))
		}
	}
}

func (p *probing) interrupt(t *testing.T) {
	t.Helper()
	must(t, p.cmd.Process.Signal(syscall.SIGINT))
}

// end waits for the command and returns its standard output.
func (p *probing) end(t *testing.T, want int) []byte {
	t.Helper()
	for line := range p.lines {
		p.said = append(p.said, line)
	}
	code := 0
	if err := p.cmd.Wait(); err != nil {
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		t.Errorf("relight probe ended with %d, want %d:\n%s\n%s", code, want, strings.Join(p.said, "\n"), p.out.String())
	}
	return p.out.Bytes()
}

func nothingLeft(t *testing.T) {
	t.Helper()
	if left := leftovers(t); len(left) > 0 {
		t.Errorf("left: %s", strings.Join(left, ", "))
	}
}

// leftovers returns what the command made and did not remove, read with other
// clients. A key has to wait for its deletion.
func leftovers(t *testing.T) []string {
	t.Helper()
	var left []string
	for what, args := range map[string][]string{
		"rule":       {"events", "list-rules", "--name-prefix", probePrefix, "--query", "Rules[].Name"},
		"bucket":     {"s3api", "list-buckets", "--query", "Buckets[].Name"},
		"trail":      {"cloudtrail", "describe-trails", "--query", "trailList[].Name"},
		"role":       {"iam", "list-roles", "--query", "Roles[].RoleName"},
		"policy":     {"iam", "list-policies", "--scope", "Local", "--query", "Policies[].PolicyName"},
		"log group":  {"logs", "describe-log-groups", "--log-group-name-prefix", probePrefix, "--query", "logGroups[].logGroupName"},
		"topic":      {"sns", "list-topics", "--query", "Topics[].TopicArn"},
		"alarm":      {"cloudwatch", "describe-alarms", "--alarm-name-prefix", probePrefix, "--query", "MetricAlarms[].AlarmName"},
		"mute rule":  {"cloudwatch", "list-alarm-mute-rules", "--query", "AlarmMuteRuleSummaries[].AlarmMuteRuleArn"},
		"VPC":        {"ec2", "describe-vpcs", "--filters", "Name=tag-key,Values=" + probe.Tag, "--query", "Vpcs[].Tags[].Value"},
		"flow log":   {"ec2", "describe-flow-logs", "--filter", "Name=tag-key,Values=" + probe.Tag, "--query", "FlowLogs[].Tags[].Value"},
		"subscriber": {"sns", "list-subscriptions", "--query", "Subscriptions[].TopicArn"},
	} {
		var names []string
		if raw := cli(t, lab.Region, append(args, "--output", "json")...); raw != "" {
			if err := json.Unmarshal([]byte(raw), &names); err != nil {
				t.Fatalf("%s: %v: %s", what, err, raw)
			}
		}
		for _, name := range names {
			if strings.Contains(name, probePrefix+"-") {
				left = append(left, what+" "+name)
			}
		}
	}
	queues, err := cloud.Root().In(lab.Region).SQS.ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String(probePrefix)})
	must(t, err)
	left = append(left, queues.QueueUrls...)
	for _, id := range strings.Fields(cli(t, lab.Region, "kms", "list-keys", "--query", "Keys[].KeyId", "--output", "text")) {
		tags := cli(t, lab.Region, "kms", "list-resource-tags", "--key-id", id, "--output", "text")
		state := cli(t, lab.Region, "kms", "describe-key", "--key-id", id, "--query", "KeyMetadata.KeyState", "--output", "text")
		if strings.Contains(tags, probe.Tag) && state != "PendingDeletion" {
			left = append(left, "key "+id+" in state "+state)
		}
	}
	slices.Sort(left)
	return left
}
