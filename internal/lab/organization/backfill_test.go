package organization

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/relight-aws/relight/internal/lab"
)

// far is a region in which nothing of relight's is deployed: no event of it reaches the hub.
const far = "eu-west-3"

// A backfill of three accounts in three regions restores what no event has announced, in every
// account but the one whose role is gone: that one it names, with the call and what to do. It
// shows how far it is. Interrupted, it leaves the execution running, and says how to see it again.
func TestBackfill(t *testing.T) {
	still(t)
	shut, open := arena.Spokes[1], arena.Spokes[0]
	regions := strings.Join([]string{lab.Region, lab.SecondRegion, far}, ",")
	cli := command(t)
	accounts := []string{lab.Account, open.Account, shut.Account}
	vpcs := map[string]string{}
	for _, account := range accounts {
		vpcs[account] = farVPC(t, account, "10.91.0.0/16")
	}

	out, _ := cli.run(t, 2, "plan", "--regions", regions, "--accounts", open.Account+","+shut.Account)
	wants(t, "the plan", out, "account "+open.Account+": ", "account "+shut.Account+": ", " to restore, ", "0 not swept")
	if strings.Contains(out, vpcs[open.Account]) {
		t.Errorf("the plan has details without --details:\n%s", out)
	}
	restore := removeRole(t, shut.Account, "relight-spoke") // of which the function still has a session
	out, _ = cli.run(t, 2, "plan", "--regions", regions, "--accounts", open.Account, "--details")
	wants(t, "the plan with details", out, "create flow-log on "+vpcs[open.Account])

	out, errs := cli.run(t, 1, "backfill", "--regions", regions, "--details")
	wants(t, "the backfill", out, "sweep of 3 accounts from the hub "+lab.Account, "account "+open.Account+": ", " 0 not restored, ",
		"account "+shut.Account+": ", "[account-closed] account "+shut.Account, "AssumeRole", "relight-spoke: ", "relight spoke-template prints")
	wants(t, "the progress", errs, " of 2 accounts", " restored, ", "not restored in 1 account")
	for _, account := range accounts {
		if has := hasFlowLog(t, account, vpcs[account]); has != (account != shut.Account) {
			t.Errorf("account %s has a flow log in %s: %t", account, far, has)
		}
	}

	more := farVPC(t, open.Account, "10.92.0.0/16")
	running := cli.start(t, "backfill", "--regions", regions)
	running.await(t, "finding the accounts")
	if err := running.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	said := running.end(t, 1)
	found := regexp.MustCompile(`interrupted: execution (\S+) of relight-sweep runs on to its end; relight backfill --watch (\S+) shows`).FindStringSubmatch(said)
	if found == nil || found[1] != found[2] {
		t.Fatalf("an interrupted backfill says:\n%s", said)
	}
	restore()
	out, _ = cli.run(t, -1, "backfill", "--watch", found[1], "--details")
	wants(t, "--watch", out, "sweep of 3 accounts", found[1])
	var execution struct{ Status string }
	raw, err := arena.Cloud.Root().In(lab.Region).AWS(t.Context(), "stepfunctions", "describe-execution", "--output", "json",
		"--execution-arn", "arn:aws:states:"+lab.Region+":"+lab.Account+":execution:relight-sweep:"+found[1])
	must(t, err)
	must(t, json.Unmarshal([]byte(raw), &execution))
	if execution.Status != "SUCCEEDED" || !hasFlowLog(t, open.Account, more) {
		t.Errorf("the interrupted execution is %s, and the account has its flow log: %t", execution.Status, hasFlowLog(t, open.Account, more))
	}

	out, _ = cli.run(t, 0, "backfill", "--accounts", shut.Account, "--kinds", "flowlogs", "--regions", regions)
	wants(t, "the backfill of one account", out, "sweep of 1 account", " 0 not restored, ", "0 not swept")
	if !hasFlowLog(t, shut.Account, vpcs[shut.Account]) {
		t.Error("the account that lets the hub in again has no flow log")
	}

	// From this terminal, by a role of people's in the other account.
	people := arena.Cloud.RootOf(open.Account).In(lab.Region)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + lab.Account + `:root"},"Action":"sts:AssumeRole"}]}`
	_, err = people.AWS(t.Context(), "iam", "create-role", "--role-name", "people", "--assume-role-policy-document", trust)
	must(t, err)
	_, err = people.AWS(t.Context(), "iam", "put-role-policy", "--role-name", "people", "--policy-name", "all", "--policy-document", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	must(t, err)
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		for _, command := range [][]string{{"delete-role-policy", "--policy-name", "all"}, {"delete-role"}} {
			_, err := people.AWS(ctx, append([]string{"iam", command[0], "--role-name", "people"}, command[1:]...)...)
			must(t, err)
		}
	})
	again := farVPC(t, open.Account, "10.93.0.0/16")
	cli.who = arena.Customer.Intruder // of the hub: no root user may assume a role
	since := time.Now()
	out, errs = cli.run(t, 1, "backfill", "--local", "--role", "people", "--kinds", "flowlogs", "--regions", far)
	wants(t, "the local backfill", out, "sweep of 3 accounts from the hub "+lab.Account+", by this terminal", "account "+open.Account+": ", "account "+shut.Account+": not swept",
		"your credentials cannot assume the role people there", "1 not swept")
	wants(t, "the progress", errs, "3 of 3 accounts", " restored, ")
	if !hasFlowLog(t, open.Account, again) {
		t.Errorf("account %s has no flow log in %s after a local backfill", open.Account, far)
	}
	if made := restorations(open.Account, since); len(made) > 0 {
		t.Errorf("functions restored, too: %v", operations(made))
	}
	cli.who = arena.Cloud.Root()
	cli.run(t, 0, "backfill", "--accounts", open.Account+","+shut.Account)
	out, _ = cli.run(t, -1, "status")
	if strings.Contains(out, "\n  [account-closed] ") {
		t.Errorf("what is open of the hub has other accounts' findings:\n%s", out)
	}
	for _, account := range accounts {
		if !regexp.MustCompile(`(?m)^` + account + ` +[1-9]\d* +0 +\d+ +\S+ ago  intact$`).MatchString(out) {
			t.Errorf("the status of account %s:\n%s", account, out)
		}
	}
	must(t, arena.Settle(t.Context()))
}

func wants(t *testing.T, what, said string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(said, text) {
			t.Errorf("%s does not say %q:\n%s", what, text, said)
		}
	}
}

// farVPC makes a VPC in the region from which no event comes, and deletes it after the test.
func farVPC(t *testing.T, account, cidr string) string {
	t.Helper()
	in := arena.Cloud.RootOf(account).In(far).EC2
	made, err := in.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String(cidr)})
	must(t, err)
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		_, err := in.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: made.Vpc.VpcId})
		must(t, err)
	})
	return *made.Vpc.VpcId
}

func hasFlowLog(t *testing.T, account, vpc string) bool {
	t.Helper()
	logs, err := arena.Cloud.RootOf(account).In(far).EC2.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{})
	must(t, err)
	for _, l := range logs.FlowLogs {
		if *l.ResourceId == vpc {
			return true
		}
	}
	return false
}

// removeRole deletes a role with its inline policies, and returns what puts it back. The test
// puts it back in any case.
func removeRole(t *testing.T, account, name string) (restore func()) {
	t.Helper()
	in, from := arena.Cloud.RootOf(account).In(lab.Region).IAM, time.Now()
	ctx := context.WithoutCancel(t.Context())
	was, err := in.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	must(t, err)
	listed, err := in.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name})
	must(t, err)
	policies := map[string]string{}
	for _, p := range listed.PolicyNames {
		got, err := in.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &p})
		must(t, err)
		policies[p] = decoded(t, got.PolicyDocument)
		_, err = in.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: &p})
		must(t, err)
	}
	_, err = in.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
	must(t, err)
	restore = func() {
		defer func() { shut = append(shut, span{account, from, time.Now()}) }()
		_, err := in.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &name, Path: was.Role.Path, Description: was.Role.Description, MaxSessionDuration: was.Role.MaxSessionDuration, Tags: was.Role.Tags,
			AssumeRolePolicyDocument: aws.String(decoded(t, was.Role.AssumeRolePolicyDocument)),
		})
		if _, there := errors.AsType[*iamtypes.EntityAlreadyExistsException](err); there {
			return
		}
		must(t, err)
		for p, text := range policies {
			_, err := in.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: &p, PolicyDocument: &text})
			must(t, err)
		}
	}
	t.Cleanup(restore)
	return restore
}

// A cli is the command line, as a process of the hub's root user or of another principal.
type cli struct {
	path, dir string
	who       lab.Principal
}

func command(t *testing.T) *cli {
	t.Helper()
	c := &cli{path: filepath.Join(t.TempDir(), "relight"), dir: t.TempDir(), who: arena.Cloud.Root()}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", c.path, "../../../cmd/relight").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return c
}

// A process is a command line that runs.
type process struct {
	cmd  *exec.Cmd
	args string
	out  bytes.Buffer
	errs *bytes.Buffer
	read chan string // what it writes on stderr
}

func (c *cli) start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), c.path, args...), args: strings.Join(args, " "), errs: &bytes.Buffer{}, read: make(chan string, 100)}
	p.cmd.Dir, p.cmd.Env = c.dir, c.who.Environ(lab.Region)
	p.cmd.Stdout = &p.out
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	pipe, err := p.cmd.StderrPipe()
	must(t, err)
	must(t, p.cmd.Start())
	go func() {
		defer close(p.read)
		buf := make([]byte, 4096)
		for {
			n, err := pipe.Read(buf)
			if n > 0 {
				p.read <- string(buf[:n])
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					p.read <- err.Error()
				}
				return
			}
		}
	}()
	return p
}

// await waits until the process has written a text on stderr.
func (p *process) await(t *testing.T, text string) {
	t.Helper()
	for !strings.Contains(p.errs.String(), text) {
		said, more := <-p.read
		if !more {
			t.Fatalf("relight %s ended without %q:\n%s%s", p.args, text, p.errs, &p.out)
		}
		p.errs.WriteString(said)
	}
}

// end waits for the end of the process and returns what it has written on stderr. It wants an
// exit code, unless that is negative.
func (p *process) end(t *testing.T, want int) string {
	t.Helper()
	for said := range p.read {
		p.errs.WriteString(said)
	}
	err := p.cmd.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if code := p.cmd.ProcessState.ExitCode(); want >= 0 && code != want {
		t.Errorf("relight %s ended with %d, want %d:\n%s%s", p.args, code, want, p.errs, &p.out)
	}
	return p.errs.String()
}

func (c *cli) run(t *testing.T, want int, args ...string) (out, errs string) {
	t.Helper()
	began := time.Now()
	p := c.start(t, args...)
	errs = p.end(t, want)
	t.Logf("relight %s took %.1fs:\n%s%s", p.args, time.Since(began).Seconds(), errs, &p.out)
	return p.out.String(), errs
}

// decoded returns a policy document that IAM has encoded.
func decoded(t *testing.T, document *string) string {
	t.Helper()
	text, err := url.QueryUnescape(aws.ToString(document))
	must(t, err)
	return text
}
