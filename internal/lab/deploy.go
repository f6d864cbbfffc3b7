package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// Subscriber is the mailbox that the lab's deployment notifies.
const Subscriber = "oncall@example.com"

// A Deployment is the stack in the lab's account.
type Deployment struct {
	Functions map[string]Function // by role ARN

	spokes map[string]bool // the ARNs of the roles that the functions assume in other accounts
}

// By returns the function that acts with a role, if it is one of relight's: its own, or the
// one that it assumes in another account, in a session named after the function. who is the
// ARN of the session.
func (d *Deployment) By(role, who string) (f Function, ours bool) {
	if f, ours := d.Functions[role]; ours || !d.spokes[role] {
		return f, ours
	}
	for _, f := range d.Functions {
		if strings.HasSuffix(who, "/"+f.Name) {
			return f, true
		}
	}
	return Function{}, false
}

// A Function is a deployed Lambda.
type Function struct {
	Name   string
	Role   string // ARN
	Logs   string // its log group
	Events bool   // a queue of events feeds it; the others run on schedule or by hand
}

// Deploy bootstraps both regions and deploys the checkout in dir with the CDK
// CLI, as any user would. It writes the tools' output to out. The configuration
// is that of Config, overridden by changes. The owner of the mailbox confirms the
// subscriptions, as a person would.
func (c *Cloud) Deploy(ctx context.Context, dir string, changes map[string]any, out io.Writer) (*Deployment, error) {
	config, err := configured(changes)
	if err != nil {
		return nil, err
	}
	cdk := func(args ...string) error { return c.cdk(ctx, dir, out, args...) }
	assembly := filepath.Join(c.Emulator.Dir, "cdk.out")
	if err := cdk("bootstrap", "--app", "", "aws://"+Account+"/"+Region, "aws://"+Account+"/"+SecondRegion); err != nil {
		return nil, err
	}
	if err := cdk("deploy", "--all", "--require-approval", "never", "--concurrency", "2",
		"--output", assembly, "-c", config); err != nil {
		return nil, err
	}
	if err := c.ConfirmSubscriptions(ctx); err != nil {
		return nil, err
	}
	return c.deployment(ctx)
}

// Diff returns what cdk diff says of a deployment of the checkout in dir with changes of
// the configuration.
func (c *Cloud) Diff(ctx context.Context, dir string, changes map[string]any) (string, error) {
	config, err := configured(changes)
	if err != nil {
		return "", err
	}
	var said bytes.Buffer
	err = c.cdk(ctx, dir, &said, "diff", "--output", filepath.Join(c.Emulator.Dir, "cdk.out"), "-c", config)
	return said.String(), err
}

// Destroy takes the stacks away with the CDK CLI.
func (c *Cloud) Destroy(ctx context.Context, dir string, out io.Writer) error {
	config, err := configured(nil)
	if err != nil {
		return err
	}
	return c.cdk(ctx, dir, out, "destroy", "--all", "--force", "--output", filepath.Join(c.Emulator.Dir, "cdk.out"), "-c", config)
}

// configured returns the configuration of Config with changes, as the CDK CLI takes it.
func configured(changes map[string]any) (string, error) {
	config := Config()
	maps.Copy(config, changes)
	context, err := json.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("encode configuration: %w", err)
	}
	return "relight=" + string(context), nil
}

// cdk runs the pinned CDK CLI as the account's root user.
func (c *Cloud) cdk(ctx context.Context, dir string, out io.Writer, args ...string) error {
	cli := filepath.Join(dir, "node_modules", ".bin", "cdk")
	if _, err := os.Stat(cli); err != nil {
		return errors.New("the CDK CLI is not installed: run make demo, or npm ci, in the checkout")
	}
	cmd := exec.CommandContext(ctx, cli, args...)
	cmd.Dir = dir
	cmd.Env = append(c.Root().Environ(Region),
		"RELIGHT_ARCH="+arch(), "CI=true", "NO_COLOR=1", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
	// The CDK's builds have to end with the CDK; otherwise they would keep its
	// output open.
	group(cmd)
	cmd.Cancel = func() error { return kill(cmd) }
	cmd.WaitDelay = stopGrace
	var said bytes.Buffer
	cmd.Stdout = io.MultiWriter(out, &said)
	cmd.Stderr = cmd.Stdout
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return fmt.Errorf("cdk %s: %w; its output: %s", args[0], err, strings.Join(lines[max(0, len(lines)-12):], "\n"))
	}
	return nil
}

// arch returns this machine's processor in the build's words: the emulator runs
// the functions on this machine.
func arch() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// ConfirmSubscriptions opens the confirmation link of every pending
// subscription, as the owners of the mailboxes would.
func (c *Cloud) ConfirmSubscriptions(ctx context.Context) error {
	return c.confirm(ctx, Account, Region, SecondRegion)
}

func (c *Cloud) confirm(ctx context.Context, account string, regions ...string) error {
	for _, region := range regions {
		waiting, err := c.Emulator.Pending(ctx, account, region)
		if err != nil {
			return fmt.Errorf("read mailboxes: %w", err)
		}
		for _, s := range waiting {
			if _, err := c.RootOf(account).In(region).SNS.ConfirmSubscription(ctx, &sns.ConfirmSubscriptionInput{
				TopicArn: aws.String(s.TopicARN), Token: aws.String(s.Token),
			}); err != nil {
				return fmt.Errorf("confirm subscription of %s: %w", s.Endpoint, err)
			}
		}
	}
	return nil
}

// deployment looks up what was deployed.
func (c *Cloud) deployment(ctx context.Context) (*Deployment, error) {
	client := c.Root().In(Region).Lambda
	fed := map[string]bool{} // by function ARN
	mappings, err := client.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{})
	if err != nil {
		return nil, fmt.Errorf("list event source mappings: %w", err)
	}
	for _, m := range mappings.EventSourceMappings {
		fed[aws.ToString(m.FunctionArn)] = true
	}
	functions, err := client.ListFunctions(ctx, &lambda.ListFunctionsInput{})
	if err != nil {
		return nil, fmt.Errorf("list functions: %w", err)
	}
	d := &Deployment{Functions: map[string]Function{}}
	for _, f := range functions.Functions {
		role := aws.ToString(f.Role)
		d.Functions[role] = Function{Name: aws.ToString(f.FunctionName), Role: role, Logs: aws.ToString(f.LoggingConfig.LogGroup), Events: fed[aws.ToString(f.FunctionArn)]}
	}
	return d, nil
}
