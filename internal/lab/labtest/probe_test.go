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
	"testing"

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
