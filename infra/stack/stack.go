// Package stack builds relight's CloudFormation stacks from the catalog and a
// configuration: the home stack, which watches and restores, and one forwarder
// for each further region that gets the fast path.
//
// Constructors depend only on a Props: they read no environment, call no AWS
// API and prompt nobody. The templates name neither an account nor a partition,
// so one synthesis works in any of them. CloudFormation generates physical
// names, so they never clash with resources that an earlier deployment left
// behind. The exceptions are names that others must be able to derive from the
// prefix: those of functions, the bus, the rules, the queues,
// which relight restores under their names, and the stacks.
package stack

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// Props is everything from which the stacks are built.
type Props struct {
	Config config.Config // complete and valid
	Home   string        // home region
	Code   string        // directory with a folder for each function, as Stage writes it
	Arch   Arch

	Version string // of relight
	Plain   *Plain // nil for templates that the CDK deploys
}

// Plain asks for templates that deploy with nothing but CloudFormation: they take the
// bucket of the functions' packages, and changes to the configuration, as parameters. If
// the configuration names no home region, the home stack fits every region that has the
// same rules as Props.Home.
type Plain struct {
	Keys map[catalog.Function]string // S3 keys of the packages, without the prefix
}

// anywhere reports whether the templates name no home region.
func (p Props) anywhere() bool { return p.Plain != nil && p.Config.HomeRegion == "" }

// An Arch is the processor that the functions run on, as Lambda spells it.
type Arch string

// These are the processors that Lambda offers.
const (
	ARM64 Arch = "arm64"
	X86   Arch = "x86_64"
)

// ParseArch returns the processor named s. It returns ARM64, which is cheaper,
// if s is empty.
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
	for _, region := range p.baseline().Forwarders(p.Home) {
		// The bus to which the stack forwards must be created first and deleted
		// last.
		Forwarder(app, p, region).AddStackDependency(home, nil)
	}
}

// baseline returns what the configuration requires of the account.
func (p Props) baseline() catalog.Baseline { return p.Config.Baseline() }

// kinds returns the kinds that are not off.
func (p Props) kinds() []catalog.Kind {
	return p.Config.Watched()
}

func newStack(app constructs.Construct, p Props, name, region, description string) awscdk.Stack {
	tags := map[string]*string{}
	for k, v := range p.baseline().Tags {
		tags[k] = jsii.String(v)
	}
	props := awscdk.StackProps{
		StackName:             jsii.String(name),
		Description:           jsii.String(description),
		Env:                   &awscdk.Environment{Region: jsii.String(region)},
		Tags:                  &tags,
		TerminationProtection: jsii.Bool(p.Config.TerminationProtection),
	}
	if p.Plain != nil {
		props.Synthesizer = awscdk.NewLegacyStackSynthesizer() // which needs nothing of the account
	}
	if p.anywhere() && region == p.Home {
		props.Env = nil
	}
	s := awscdk.NewStack(app, jsii.String(name), &props)
	if p.Plain != nil { // the CDK passes tags when it deploys; nobody else does
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			awscdk.Tags_Of(s).Add(jsii.String(key), tags[key], nil)
		}
	}
	// The CDK warns that it may miss that a rule and its target are in two accounts,
	// because the account is not known. relight's rules never leave the account, and
	// those that leave the region name the bus and a role.
	awscdk.Annotations_Of(s).AcknowledgeWarning(jsii.String("@aws-cdk/aws-events:ruleUnresolvedEnvironment"), jsii.String("rules and targets are in one account"))
	output(s, catalog.OutputVersion, jsii.String(p.Version), "The version of relight that the stack is of")
	if arn := p.Config.PermissionsBoundary; arn != "" {
		policy := awsiam.ManagedPolicy_FromManagedPolicyArn(s, jsii.String("Boundary"), jsii.String(arn))
		awsiam.PermissionsBoundary_Of(s).Apply(policy)
	}
	return s
}
