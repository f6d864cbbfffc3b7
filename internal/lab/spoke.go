package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"golang.org/x/sync/errgroup"

	"github.com/relight-aws/relight/internal/catalog"
)

// guarded returns the accounts that the lab may have beside its own, in order.
func guarded() []string { return []string{"222233334444", "333344445555"} }

// MaxAccounts is how many accounts a lab has at most: its own, and those that it guards.
func MaxAccounts() int { return 1 + len(guarded()) }

// SpokeStack is the name of the stack of a guarded account.
const SpokeStack = "relight-spoke"

// A Spoke is another account of the organisation, which the deployment in the lab's own
// account guards: VPCs in both regions and a user with too many rights. The first one owns
// a trail, with its log group in the home region; for the others, the log group is "". On AWS,
// the calls in those would be events because an organisation's trail logs them; here the tap
// asks for no trail.
type Spoke struct {
	Account string
	Customer
}

// organize makes an organisation of the lab's own account and further ones, and returns
// the part of the configuration that names them.
func (a *Arena) organize(ctx context.Context, accounts []string) (map[string]any, error) {
	id, err := a.Cloud.Organization(ctx)
	if err != nil {
		return nil, err
	}
	a.Spokes = make([]*Spoke, len(accounts))
	var all errgroup.Group
	for i, account := range accounts {
		all.Go(func() (err error) {
			if err := a.Cloud.Join(ctx, account); err != nil {
				return err
			}
			a.Spokes[i], err = newSpoke(ctx, a.Cloud, account, i == 0)
			return err
		})
	}
	return map[string]any{"id": id, "hubAccount": Account, "accounts": accounts}, all.Wait()
}

// newSpoke sets up an account through its API. It has no VPCs yet.
func newSpoke(ctx context.Context, c *Cloud, account string, ownsTrail bool) (*Spoke, error) {
	who := &Spoke{Account: account, Customer: Customer{VPCs: map[string][]string{}}}
	root := c.RootOf(account)
	for _, region := range []string{Region, SecondRegion} {
		if err := deleteVPCs(ctx, root.In(region)); err != nil {
			return nil, fmt.Errorf("delete the VPCs of account %s in %s: %w", account, region, err)
		}
	}
	if ownsTrail {
		who.TrailLogGroup = groupOf(account)
		if err := makeTrail(ctx, root.In(Region), account, who.TrailLogGroup, "", managementEvents()); err != nil {
			return nil, fmt.Errorf("make the trail of account %s: %w", account, err)
		}
	}
	if err := who.makeIntruder(ctx, root.In(Region)); err != nil {
		return nil, fmt.Errorf("make the intruder of account %s: %w", account, err)
	}
	return who, nil
}

// guard deploys the template of guarded accounts into the spokes, as docs/organization.md
// says.
func (a *Arena) guard(ctx context.Context) error {
	a.Deployment.spokes = map[string]bool{}
	var all errgroup.Group
	for _, who := range a.Spokes {
		a.Deployment.spokes["arn:aws:iam::"+who.Account+":role/"+a.Prefix+"-"+catalog.SpokeRole] = true
		all.Go(func() error { return a.Cloud.DeploySpoke(ctx, who.Account, a.SpokeTemplate, who.TrailLogGroup != "") })
	}
	return all.Wait()
}

// DeploySpoke deploys the template of a guarded account into an account, in each region that
// relight guards. The owners of the mailboxes confirm the subscriptions.
func (c *Cloud) DeploySpoke(ctx context.Context, account, template string, ownsTrail bool) error {
	for _, region := range []string{Region, SecondRegion} {
		params := map[string]string{}
		if ownsTrail && region == Region {
			params["OwnsTrail"] = "yes"
		}
		if err := c.RootOf(account).In(region).DeployStack(ctx, SpokeStack, template, params); err != nil {
			return fmt.Errorf("deploy %s in account %s, %s: %w", SpokeStack, account, region, err)
		}
	}
	return c.confirm(ctx, account, Region)
}

// spokeTemplate returns the template that the relight of the checkout in dir prints for the
// configuration of Config with changes.
func (c *Cloud) spokeTemplate(ctx context.Context, dir string, changes map[string]any) (string, error) {
	binary, file := filepath.Join(c.Emulator.Dir, "relight"), filepath.Join(c.Emulator.Dir, "hub.json")
	config, err := configured(changes)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(file, []byte(strings.TrimPrefix(config, "relight=")), 0o600); err != nil {
		return "", fmt.Errorf("keep the configuration of the hub: %w", err)
	}
	var template string
	for _, command := range [][]string{{"go", "build", "-o", binary, "./cmd/relight"}, {binary, "spoke-template", "--config", file}} {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Dir, cmd.Env = dir, c.Root().Environ(Region)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(errs.Bytes()))
		}
		template = out.String()
	}
	return template, nil
}

// stackTimeout limits the wait for a stack, which takes a second or two.
const stackTimeout = 2 * time.Minute

// DeployStack makes a stack and waits for it. If it fails, the error has the reasons.
func (s *Session) DeployStack(ctx context.Context, name, template string, params map[string]string) error {
	in := &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template), Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}}
	for key, value := range params {
		in.Parameters = append(in.Parameters, cfntypes.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(value)})
	}
	if _, err := s.Stacks.CreateStack(ctx, in); err != nil {
		return err
	}
	waiter := cloudformation.NewStackCreateCompleteWaiter(s.Stacks, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	})
	err := waiter.Wait(ctx, &cloudformation.DescribeStacksInput{StackName: in.StackName}, stackTimeout)
	if err == nil {
		return nil
	}
	events, why := s.Stacks.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: in.StackName})
	if why != nil {
		return err
	}
	var reasons []string
	for _, e := range events.StackEvents {
		if strings.HasSuffix(string(e.ResourceStatus), "_FAILED") {
			reasons = append(reasons, aws.ToString(e.LogicalResourceId)+": "+aws.ToString(e.ResourceStatusReason))
		}
	}
	return fmt.Errorf("%w: %s", err, strings.Join(reasons, "; "))
}

// firstEvents makes VPCs in the spokes, and sets the retention of the log groups of their
// trails once more: these events lead to a check of what nothing has protected there so far.
// Then it waits until everything is protected.
func (a *Arena) firstEvents(ctx context.Context) error {
	for _, who := range a.Spokes {
		root := a.Cloud.RootOf(who.Account)
		for region, cidr := range map[string]string{Region: "10.0.0.0/16", SecondRegion: "10.2.0.0/16"} {
			if err := who.makeVPCs(ctx, root.In(region), []string{cidr}); err != nil {
				return fmt.Errorf("make the VPCs of account %s in %s: %w", who.Account, region, err)
			}
		}
		if who.TrailLogGroup != "" {
			if err := retain(ctx, root.In(Region), who.TrailLogGroup); err != nil {
				return fmt.Errorf("set the retention of the trail's log group in account %s: %w", who.Account, err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	for {
		var missing []string
		for _, who := range a.Spokes {
			lacks, err := who.Missing(ctx, a.Cloud, a.Prefix)
			if err != nil {
				return err
			}
			missing = append(missing, lacks...)
		}
		if len(missing) == 0 {
			return a.Settle(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %s, events have not led to: %s", sweepTimeout, strings.Join(missing, "; "))
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// Missing returns the protections that the account lacks according to its API: a flow log on
// every VPC, and a filter and an alarm for every control if it owns a trail.
func (who *Spoke) Missing(ctx context.Context, c *Cloud, prefix string) (missing []string, err error) {
	root := c.RootOf(who.Account)
	lacks := func(what ...string) { missing = append(missing, who.Account+" "+strings.Join(what, " ")) }
	for region, vpcs := range who.VPCs {
		logs, err := root.In(region).describeFlowLogs(ctx, vpcs...)
		if err != nil {
			return nil, fmt.Errorf("read the flow logs of account %s: %w", who.Account, err)
		}
		covered := map[string]bool{}
		for _, fl := range logs {
			covered[aws.ToString(fl.ResourceId)] = aws.ToString(fl.DeliverLogsStatus) == "SUCCESS"
		}
		for _, vpc := range vpcs {
			if !covered[vpc] {
				lacks("flow log of", vpc, region)
			}
		}
	}
	if who.TrailLogGroup == "" {
		return missing, nil
	}
	s := root.In(Region)
	filters, err := s.Logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(who.TrailLogGroup), Limit: aws.Int32(50)})
	if err != nil {
		return nil, fmt.Errorf("read the filters of account %s: %w", who.Account, err)
	}
	alarms, err := s.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(prefix + "-"), MaxRecords: aws.Int32(100)})
	if err != nil {
		return nil, fmt.Errorf("read the alarms of account %s: %w", who.Account, err)
	}
	has := map[string]bool{}
	for _, f := range filters.MetricFilters {
		has["filter "+aws.ToString(f.FilterName)] = true
	}
	for _, m := range alarms.MetricAlarms {
		has["alarm "+aws.ToString(m.AlarmName)] = aws.ToBool(m.ActionsEnabled) && len(m.AlarmActions) > 0
	}
	for _, control := range catalog.Controls() {
		for _, sort := range []string{"filter", "alarm"} {
			if name := prefix + "-" + control.ID; !has[sort+" "+name] {
				lacks(sort, name)
			}
		}
	}
	return missing, nil
}
