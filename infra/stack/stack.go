// Package stack builds relight's CloudFormation stacks from the catalog and a
// configuration: the home stack, which watches and repairs, and one forwarder
// for each further region that gets the fast path.
//
// Constructors take a Props and nothing else: no environment, no AWS call, no
// prompt. The templates name no account, so that one synthesis serves any,
// and no partition. Physical names are CloudFormation's own, which never
// clash with what an earlier deployment left behind; the exceptions are those
// that others must be able to build from the prefix: functions, their log
// groups, the bus and the stacks.
package stack

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// Props is all that the stacks are built from.
type Props struct {
	Config config.Config // complete and valid
	Home   string        // home region
	Code   string        // directory with a folder for each function, as Stage writes it
	Arch   Arch
}

// An Arch is the processor that the functions run on, as Lambda spells it.
type Arch string

// The processors that Lambda offers.
const (
	ARM64 Arch = "arm64"
	X86   Arch = "x86_64"
)

// ParseArch returns the processor named s; ARM64, the cheaper, if s is empty.
func ParseArch(s string) (Arch, error) {
	if s == "" {
		return ARM64, nil
	}
	if a := Arch(s); a == ARM64 || a == X86 {
		return a, nil
	}
	return "", fmt.Errorf("architecture %q: use %s or %s", s, ARM64, X86)
}

func (a Arch) lambda() awslambda.Architecture {
	if a == X86 {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

// Add adds the home stack and its forwarders to app.
func Add(app constructs.Construct, p Props) {
	home := Home(app, p)
	for _, region := range p.forwarders() {
		// The bus it forwards to has to exist first, and goes last.
		Forwarder(app, p, region).AddDependency(home, nil)
	}
}

// forwarders returns the regions that send events home: the listed ones, and
// the one that raises the events of global services unless it is to be skipped:
// nothing could be deployed there.
func (p Props) forwarders() []string {
	regions := p.Config.FastRegions(p.Home)
	global := catalog.GlobalRegion(p.Home)
	if !slices.Contains(append(regions, p.Config.SkipRegions...), global) && len(catalog.PatternsOf(catalog.GlobalCalls(p.baseline().Calls()), p.kinds()...)) > 0 {
		regions = append(regions, global)
	}
	return regions[1:]
}

// calls returns the calls that the stacks watch: those whose events wait, and
// the others.
func (p Props) calls() (now, later []catalog.Call) {
	for _, c := range p.baseline().Calls() {
		if p.Config.FlowLogs.GraceSeconds > 0 && c.Newborn {
			later = append(later, c)
		} else {
			now = append(now, c)
		}
	}
	return now, later
}

// baseline returns what the configuration asks of the account.
func (p Props) baseline() catalog.Baseline { return p.Config.Baseline() }

// kinds returns the kinds that are not off.
func (p Props) kinds() []catalog.Kind {
	return slices.DeleteFunc(catalog.Kinds(), func(k catalog.Kind) bool {
		return p.Config.Mode(k) == catalog.Off
	})
}

// regionalKinds returns the kinds whose events further regions forward.
func (p Props) regionalKinds() []catalog.Kind {
	return slices.DeleteFunc(p.kinds(), func(k catalog.Kind) bool { return !k.Regional() })
}

func newStack(app constructs.Construct, p Props, name, region, description string) awscdk.Stack {
	tags := map[string]*string{}
	for k, v := range p.baseline().Tags {
		tags[k] = jsii.String(v)
	}
	s := awscdk.NewStack(app, jsii.String(name), &awscdk.StackProps{
		StackName:             jsii.String(name),
		Description:           jsii.String(description),
		Env:                   &awscdk.Environment{Region: jsii.String(region)},
		Tags:                  &tags,
		TerminationProtection: jsii.Bool(p.Config.TerminationProtection),
	})
	if arn := p.Config.PermissionsBoundary; arn != "" {
		policy := awsiam.ManagedPolicy_FromManagedPolicyArn(s, jsii.String("Boundary"), jsii.String(arn))
		awsiam.PermissionsBoundary_Of(s).Apply(policy)
	}
	return s
}
