package labtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
	"github.com/relight-aws/relight/internal/probe"
)

// probeBinary builds the command once.
var probeBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(cloud.Emulator.Dir, "relight-probe") // the cloud removes it
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", path, "../../../cmd/relight").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// A probing is a relight probe that runs in a region without relight, with its
// own prefix.
type probing struct {
	*exec.Cmd
	prefix, region string
	out, errs      bytes.Buffer
	began          time.Time
	writes         atomic.Int64 // calls that change something

	at   int64 // number of the write after which then is called
	then func()
}

// newProbing returns a probe that waits a second for late results at most.
func newProbing(t *testing.T, prefix string, args ...string) *probing {
	t.Helper()
	bin, err := probeBinary()
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	p := &probing{prefix: prefix, region: lab.Region}
	p.Cmd = exec.CommandContext(ctx, bin, append([]string{"probe", "--prefix", prefix, "--wait", "1s"}, args...)...)
	p.Dir = t.TempDir() // no cdk.json here
	p.Stdout, p.Stderr = &p.out, &p.errs
	p.as(cloud.Root())
	return p
}

// as makes the command run as a principal. Each call's user agent has the
// prefix.
func (p *probing) as(who lab.Principal) {
	p.Env = append(who.Environ(p.region), "AWS_SDK_UA_APP_ID="+p.prefix)
}

// after makes the command's start call f when so many writes have taken effect,
// before the command has the answer to the last of them.
func (p *probing) after(writes int64, f func()) { p.at, p.then = writes, f }

func (p *probing) start(t *testing.T) {
	t.Helper()
	started := make(chan struct{})
	t.Cleanup(cloud.Tap.OnCall(func(c tap.Call) {
		if c.Write && slices.Contains(strings.Fields(c.UserAgent), "app/"+p.prefix) && p.writes.Add(1) == p.at {
			<-started // the process is known
			p.then()
		}
	}))
	p.began = time.Now()
	must(t, p.Start())
	close(started)
}

// end waits for the command to end with an exit code, -1 for a signal.
func (p *probing) end(t *testing.T, want int) {
	t.Helper()
	err := p.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if code := p.ProcessState.ExitCode(); code != want {
		t.Errorf("relight probe ended with %d, want %d:\n%s\n%s", code, want, &p.errs, &p.out)
	}
	t.Logf("%d writes, %s", p.writes.Load(), time.Since(p.began).Round(time.Second/10))
}

// report decodes the command's report, which has every belief.
func (p *probing) report(t *testing.T) (rep probe.Report) {
	t.Helper()
	if err := json.Unmarshal(p.out.Bytes(), &rep); err != nil {
		t.Fatalf("%v: %s\n%s", err, &p.out, &p.errs)
	}
	var got, want []string
	for _, r := range rep.Results {
		got = append(got, r.ID)
	}
	for _, b := range probe.Beliefs() {
		want = append(want, b.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the report has %d beliefs, want %d", len(got), len(want))
	}
	return rep
}

// TestProbe runs the real command against the local cloud, in which relight is
// not deployed. It sees most beliefs and leaves nothing.
func TestProbe(t *testing.T) {
	p := newProbing(t, "sandbox", "--yes", "--output", "json")
	p.start(t)
	p.end(t, 0)
	rep := p.report(t)
	for _, r := range rep.Results {
		t.Logf("%-42s %-8s %-10s %s%s", r.ID, r.Ref, r.Verdict, r.Seen, r.Why)
	}
	if n := rep.Count(probe.Agrees) + rep.Count(probe.Disagrees); n < 25 {
		t.Errorf("%d beliefs were seen, want 25 at least", n)
	}
	if i := slices.IndexFunc(rep.Results, func(r probe.Result) bool { return r.ID == "event-latency" }); rep.Results[i].Seconds == nil {
		t.Errorf("the time from call to event was not measured: %+v", rep.Results[i])
	}
	p.nothingLeft(t)
}

// TestProbeInterrupted interrupts the command when some of its writes have taken
// effect, before it has the answer. It reports what it saw until then and leaves
// nothing. internal/probe interrupts it at each call.
func TestProbeInterrupted(t *testing.T) {
	tests := []struct {
		writes int64
		region string
		signal os.Signal
		seen   string // by then
	}{
		{1, lab.Region, syscall.SIGINT, ""},
		{6, "eu-west-1", syscall.SIGINT, ""},                                  // the bucket
		{8, lab.Region, syscall.SIGTERM, ""},                                  // the trail
		{18, lab.Region, syscall.SIGINT, "iam-reads-lag"},                     // the key
		{29, "eu-west-1", syscall.SIGINT, "filter-on-infrequent-access"},      // the mute rule
		{36, lab.Region, syscall.SIGHUP, "unassumable-role-fails-whole-call"}, // a flow log
		{44, lab.Region, syscall.SIGINT, "flow-log-by-arn-has-group-name"},    // a topic deleted, its subscription not
		{55, "eu-west-1", syscall.SIGINT, "recreated-topic-lists-nothing"},
		{70, lab.Region, syscall.SIGINT, "update-checks-the-kept-topic"}, // the key disabled
		{100, "eu-west-1", syscall.SIGINT, "flow-logs-outlive-vpc"},      // some of it removed
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s-after-%d-writes", tt.signal, tt.writes), func(t *testing.T) {
			if signal.Ignored(tt.signal) {
				t.Skip("the tests run under nohup")
			}
			t.Parallel()
			p := newProbing(t, fmt.Sprintf("sandbox-%d", tt.writes), "--yes", "--output", "json")
			p.region = tt.region
			p.as(cloud.Root())
			p.after(tt.writes, func() { p.Process.Signal(tt.signal) })
			p.start(t)
			p.end(t, 1)
			if !strings.Contains(p.errs.String(), "relight: interrupted\n") {
				t.Errorf("it was not interrupted:\n%s", &p.errs)
			}
			p.nothingLeft(t)
			for _, r := range p.report(t).Results {
				switch {
				case r.ID == tt.seen && r.Verdict == probe.NotSeen:
					t.Errorf("%+v was seen before", r)
				case r.ID == "event-latency" && tt.writes < 80 && r.Why != "the run was interrupted before":
					t.Errorf("%+v, want it interrupted", r)
				}
			}
		})
	}
}

// TestProbeUnread interrupts the command together with the reader of its output,
// as Ctrl-C does in a pipe to tee.
func TestProbeUnread(t *testing.T) {
	p := newProbing(t, "sandbox-unread", "--yes")
	reader, writer, err := os.Pipe()
	must(t, err)
	p.Stdout, p.Stderr = writer, writer
	p.after(36, func() {
		reader.Close()
		p.Process.Signal(syscall.SIGINT)
	})
	p.start(t)
	writer.Close()
	p.end(t, 1)
	p.nothingLeft(t)
}

// TestProbeKilled kills the command when some of its writes have taken effect,
// and removes what it left with --clean.
func TestProbeKilled(t *testing.T) {
	for _, writes := range []int64{6, 29, 44, 74} { // the bucket, the mute rule, a topic deleted, a flow log made last
		t.Run(fmt.Sprint(writes), func(t *testing.T) {
			t.Parallel()
			p := newProbing(t, fmt.Sprintf("sandbox-killed-%d", writes), "--yes")
			p.after(writes, func() { p.Process.Kill() })
			p.start(t)
			p.end(t, -1)
			if left := p.leftovers(t); len(left) < 4 {
				t.Fatalf("left %v, which shows little", left)
			}
			clean := newProbing(t, p.prefix, "--yes", "--clean")
			clean.start(t)
			clean.end(t, 0)
			clean.nothingLeft(t)
		})
	}
}

// TestProbeNotRemoved lets the removal fail. The command lists what is left and
// prints the command that removes it.
func TestProbeNotRemoved(t *testing.T) {
	t.Run("denied", func(t *testing.T) {
		t.Parallel()
		user := newUser(t, fmt.Sprintf("probe-denied-%d", time.Now().UnixNano()))
		user.put(t, `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":["sqs:DeleteQueue","iam:DeleteRole"],"Resource":"*"}`)
		p := newProbing(t, "sandbox-denied", "--yes")
		who := cloud.Root()
		who.AccessKey, who.Secret = user.key, user.secret
		p.as(who)
		p.after(29, func() { p.Process.Signal(syscall.SIGINT) })
		p.start(t)
		p.end(t, 1)
		p.listsLeftovers(t, 3)
		for _, b := range probe.Beliefs() {
			if !strings.Contains(p.out.String(), b.ID+" ") {
				t.Errorf("the table has no row for %s", b.ID)
			}
		}
		p.clean(t)
	})
	t.Run("second interruption", func(t *testing.T) {
		t.Parallel()
		p := newProbing(t, "sandbox-twice", "--yes", "--output", "json")
		vpcs := ec2.NewFromConfig(config(p.region))
		made, ended := make(chan struct{}), make(chan struct{})
		p.after(30, func() { close(made) })
		p.start(t)
		<-made
		var subnet *string
		for _, id := range p.leftovers(t) {
			if strings.HasPrefix(id, "vpc-") { // now it cannot be deleted
				out, err := vpcs.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{VpcId: &id, CidrBlock: aws.String("10.254.0.0/28")})
				must(t, err)
				subnet = out.Subnet.SubnetId
			}
		}
		go func() { // which of them count as a second one is the command's affair
			for {
				p.Process.Signal(syscall.SIGINT)
				select {
				case <-ended:
					return
				case <-time.After(200 * time.Millisecond):
				}
			}
		}()
		p.end(t, 1)
		close(ended)
		p.listsLeftovers(t, 10)
		if left := p.report(t).Left; !slices.ContainsFunc(left, func(line string) bool { return strings.HasSuffix(line, "-queue: interrupted") }) {
			t.Errorf("the queue is not reported as interrupted: %q", left)
		}
		_, err := vpcs.DeleteSubnet(t.Context(), &ec2.DeleteSubnetInput{SubnetId: subnet})
		must(t, err)
		p.clean(t)
	})
}

// listsLeftovers checks that there are leftovers and that the command has
// printed each of them.
func (p *probing) listsLeftovers(t *testing.T, atLeast int) {
	t.Helper()
	left := p.leftovers(t)
	if len(left) < atLeast {
		t.Errorf("left %v, want %d at least", left, atLeast)
	}
	for _, name := range left {
		if name = name[strings.LastIndexAny(name, "/:")+1:]; !strings.Contains(p.errs.String(), name) {
			t.Errorf("%s is left and not listed:\n%s", name, &p.errs)
		}
	}
}

// clean runs the command that the command has printed, after which nothing is
// left.
func (p *probing) clean(t *testing.T) {
	t.Helper()
	_, line, found := strings.Cut(p.errs.String(), "To remove it: relight probe ")
	if !found {
		t.Fatalf("no command that removes it:\n%s", &p.errs)
	}
	line, _, _ = strings.Cut(line, "\n")
	clean := newProbing(t, p.prefix, append(strings.Fields(line), "--yes")...)
	clean.start(t)
	clean.end(t, 0)
	clean.nothingLeft(t)
}

// TestProbeAsks runs the command with and without a terminal.
func TestProbeAsks(t *testing.T) {
	python := filepath.Join(venv(), "bin", "python")
	python, err := filepath.Abs(python)
	must(t, err)
	tests := []struct {
		name, keys string // what is typed at the first question; "" for no terminal
		want       string
	}{
		{"no terminal", "", "standard input is not a terminal: --yes does not ask"},
		{"no", "no\n", "nothing was "},
		{"Ctrl-C", "\x03", "relight: interrupted"},
	}
	for _, tt := range tests {
		for _, args := range [][]string{nil, {"--clean"}} {
			t.Run(strings.Join(append([]string{tt.name}, args...), " "), func(t *testing.T) {
				t.Parallel()
				p := newProbing(t, "sandbox-asks", args...)
				if tt.keys == "" {
					p.Stdin = strings.NewReader("yes\n")
				} else {
					p.inTerminal(t, python, tt.keys)
				}
				p.start(t)
				p.end(t, 1)
				said := p.out.String() + p.errs.String() // a terminal has one output
				if !strings.Contains(said, tt.want) {
					t.Errorf("want %q:\n%s", tt.want, said)
				}
				if n := p.writes.Load(); n > 0 {
					t.Errorf("%d writes", n)
				}
				resources, _ := probe.Plan()
				for _, line := range resources {
					if (tt.keys != "" && args == nil) != strings.Contains(said, line) {
						t.Errorf("about %q:\n%s", line, said)
					}
				}
			})
		}
	}
	t.Run("yes", func(t *testing.T) {
		t.Parallel()
		p := newProbing(t, "sandbox-yes")
		keys := p.inTerminal(t, python, "yes\n")
		p.after(9, func() { keys.Write([]byte("\x03")) })
		p.start(t)
		p.end(t, 1)
		if !strings.Contains(p.out.String(), "interrupted: removing what was made") {
			t.Errorf("not interrupted:\n%s", &p.out)
		}
		p.nothingLeft(t)
	})
}

// inTerminal makes the command run in a terminal in which keys are typed.
func (p *probing) inTerminal(t *testing.T, python, keys string) (more io.Writer) {
	t.Helper()
	const spawn = `import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))`
	p.Path, p.Args = python, append([]string{python, "-c", spawn, p.Path}, p.Args[1:]...)
	in, err := p.StdinPipe()
	must(t, err)
	asked := &until{text: "Type yes:", then: func() { io.WriteString(in, keys) }}
	p.Stdout = io.MultiWriter(&p.out, asked)
	return in
}

// An until calls a function once a text was written.
type until struct {
	text string
	then func()
	got  strings.Builder
}

func (u *until) Write(raw []byte) (int, error) {
	u.got.Write(raw)
	if u.then != nil && strings.Contains(u.got.String(), u.text) {
		u.then()
		u.then = nil
	}
	return len(raw), nil
}

func (p *probing) nothingLeft(t *testing.T) {
	t.Helper()
	if left := p.leftovers(t); len(left) > 0 {
		t.Errorf("left: %s\n%s", strings.Join(left, ", "), &p.errs)
	}
}

// leftovers returns the names and IDs of what is there under the command's
// prefix, read with ordinary clients. A key is there until it waits for its
// deletion.
func (p *probing) leftovers(t *testing.T) (left []string) {
	t.Helper()
	ctx, cfg := t.Context(), config(p.region)
	found := func(names ...*string) {
		for _, name := range names {
			if strings.Contains(aws.ToString(name), p.prefix+"-") {
				left = append(left, *name)
			}
		}
	}
	queues, err := sqs.NewFromConfig(cfg).ListQueues(ctx, &sqs.ListQueuesInput{})
	must(t, err)
	found(aws.StringSlice(queues.QueueUrls)...)
	rules, err := eventbridge.NewFromConfig(cfg).ListRules(ctx, &eventbridge.ListRulesInput{})
	must(t, err)
	for _, r := range rules.Rules {
		found(r.Name)
	}
	buckets, err := s3.NewFromConfig(cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
	must(t, err)
	for _, b := range buckets.Buckets {
		found(b.Name)
	}
	trails, err := cloudtrail.NewFromConfig(cfg).DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{})
	must(t, err)
	for _, tr := range trails.TrailList {
		found(tr.Name)
	}
	roles, err := iam.NewFromConfig(cfg).ListRoles(ctx, &iam.ListRolesInput{})
	must(t, err)
	for _, r := range roles.Roles {
		found(r.RoleName)
	}
	policies, err := iam.NewFromConfig(cfg).ListPolicies(ctx, &iam.ListPoliciesInput{Scope: "Local"})
	must(t, err)
	for _, r := range policies.Policies {
		found(r.PolicyName)
	}
	groups, err := cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &p.prefix})
	must(t, err)
	for _, g := range groups.LogGroups {
		found(g.LogGroupName)
	}
	topics, err := sns.NewFromConfig(cfg).ListTopics(ctx, &sns.ListTopicsInput{})
	must(t, err)
	for _, topic := range topics.Topics {
		found(topic.TopicArn)
	}
	subscriptions, err := sns.NewFromConfig(cfg).ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})
	must(t, err)
	for _, s := range subscriptions.Subscriptions {
		found(s.SubscriptionArn)
	}
	alarms, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: &p.prefix})
	must(t, err)
	for _, a := range alarms.MetricAlarms {
		found(a.AlarmName)
	}
	mutes, err := cloudwatch.NewFromConfig(cfg).ListAlarmMuteRules(ctx, &cloudwatch.ListAlarmMuteRulesInput{})
	must(t, err)
	for _, m := range mutes.AlarmMuteRuleSummaries {
		found(m.AlarmMuteRuleArn)
	}
	tagged := []ec2types.Filter{{Name: aws.String("tag:" + probe.Tag), Values: []string{p.prefix + "-*"}}}
	vpcs, err := ec2.NewFromConfig(cfg).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: tagged})
	must(t, err)
	for _, v := range vpcs.Vpcs {
		left = append(left, *v.VpcId)
	}
	logs, err := ec2.NewFromConfig(cfg).DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{Filter: tagged})
	must(t, err)
	for _, fl := range logs.FlowLogs {
		left = append(left, *fl.FlowLogId)
	}
	keys := kms.NewFromConfig(cfg)
	all, err := keys.ListKeys(ctx, &kms.ListKeysInput{})
	must(t, err)
	for _, key := range all.Keys {
		tags, err := keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: key.KeyId})
		must(t, err)
		state, err := keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
		must(t, err)
		own := slices.ContainsFunc(tags.Tags, func(tag kmstypes.Tag) bool {
			return *tag.TagKey == probe.Tag && strings.HasPrefix(*tag.TagValue, p.prefix+"-")
		})
		if own && state.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion {
			left = append(left, *key.KeyId)
		}
	}
	return left
}
