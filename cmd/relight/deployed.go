package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// errNotDeployed says that there is no stack.
var errNotDeployed = errors.New("relight is not deployed")

// deployedConfig reads the configuration with which the home stack was deployed, from
// the metadata of its template. It returns errNotDeployed if there is no such stack.
func (a *account) deployedConfig(ctx context.Context) (config.Config, error) {
	name := a.config.Baseline().StackName()
	out, err := cloudformation.NewFromConfig(a.aws).GetTemplate(ctx, &cloudformation.GetTemplateInput{
		StackName: aws.String(name), TemplateStage: cftypes.TemplateStageOriginal,
	})
	if refusal, ok := errors.AsType[smithy.APIError](err); ok && refusal.ErrorCode() == "ValidationError" && strings.Contains(refusal.ErrorMessage(), "does not exist") {
		return config.Config{}, errNotDeployed
	}
	unread := func(why error) error {
		return fmt.Errorf("the configuration of the deployed stack %s in %s cannot be read: %w; --config FILE uses that of a file", name, a.aws.Region, why)
	}
	if err != nil {
		return config.Config{}, unread(fmt.Errorf("needs cloudformation:GetTemplate: %w", err))
	}
	c, parameter, err := recorded(aws.ToString(out.TemplateBody))
	if err != nil {
		return config.Config{}, unread(err)
	}
	if parameter {
		if c, err = a.withParameter(ctx, name, c); err != nil {
			return config.Config{}, unread(err)
		}
	}
	if c.Prefix != a.config.Prefix {
		return config.Config{}, unread(fmt.Errorf("it has the prefix %s", c.Prefix))
	}
	return c, nil
}

// withParameter returns c with the changes in the parameter of a stack that was deployed
// without the CDK.
func (a *account) withParameter(ctx context.Context, stack string, c config.Config) (config.Config, error) {
	out, err := cloudformation.NewFromConfig(a.aws).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
	if err != nil {
		return config.Config{}, fmt.Errorf("needs cloudformation:DescribeStacks: %w", err)
	}
	for _, s := range out.Stacks {
		for _, p := range s.Parameters {
			if aws.ToString(p.ParameterKey) != catalog.ParamConfig {
				continue
			}
			if c, err = c.With(aws.ToString(p.ParameterValue)); err != nil {
				return config.Config{}, fmt.Errorf("the parameter %s: %w", catalog.ParamConfig, err)
			}
			return c, nil
		}
	}
	return config.Config{}, fmt.Errorf("the stack has no value of the parameter %s", catalog.ParamConfig)
}

// recorded returns the configuration in a template's metadata, and whether a parameter
// may change it.
func recorded(template string) (c config.Config, parameter bool, err error) {
	var doc struct{ Metadata, Parameters map[string]any }
	if err := json.Unmarshal([]byte(template), &doc); err != nil {
		return config.Config{}, false, fmt.Errorf("the template is not JSON: %w", err)
	}
	switch schema := doc.Metadata[catalog.ConfigSchemaKey]; schema {
	case catalog.ConfigSchema:
	case nil:
		return config.Config{}, false, errors.New("a version of relight that did not record it deployed the stack: deploy again")
	default:
		return config.Config{}, false, fmt.Errorf("it is recorded in schema %v, and this relight reads schema %s: use the version that is deployed", schema, catalog.ConfigSchema)
	}
	facts := config.Facts{}
	for key, value := range doc.Metadata {
		if path, ours := strings.CutPrefix(key, catalog.ConfigKey); ours {
			text, ok := value.(string)
			if !ok {
				return config.Config{}, false, fmt.Errorf("%s is not a text", key)
			}
			facts[path] = text
		}
	}
	_, parameter = doc.Parameters[catalog.ParamConfig]
	c, err = facts.Config()
	return c, parameter, err
}

// useDeployed makes the deployed configuration the account's, unless --config names
// another one or nothing is deployed. It says on a terminal which one is used.
func (a *account) useDeployed(ctx context.Context, f *flags, w io.Writer) error {
	if a.deployed() && !f.configGiven {
		local := a.config
		c, err := a.deployedConfig(ctx)
		if errors.Is(err, errNotDeployed) {
			err = fmt.Errorf("the function %s exists, but the stack %s does not: deploy again, or name a configuration with --config", a.backfillName(), local.Baseline().StackName())
		}
		if err != nil {
			return err
		}
		if err := c.CheckHome(a.aws.Region); err != nil {
			return fmt.Errorf("the deployed configuration does not fit the home region %s:\n%w", a.aws.Region, err)
		}
		a.config = c
		f.say(w, "configuration: the deployed one"+a.compared(c, local))
		return nil
	}
	a.announceLocal(f, w)
	return nil
}

// announceLocal says on a terminal from which file the configuration is. That there is no
// file it says anywhere.
func (a *account) announceLocal(f *flags, w io.Writer) {
	if a.noFile {
		sayDefaults(w, f)
		return
	}
	f.say(w, "configuration: "+f.config)
}

// sayDefaults says that the configuration is the default one.
func sayDefaults(w io.Writer, f *flags) {
	fmt.Fprintf(w, "relight: there is no %s here: using the defaults; --config names another file\n", f.config)
}

// announceDeployed says on a terminal that the deployed function uses its own
// configuration, and whether the local one differs. It reads nothing where nobody
// sees it.
func (a *account) announceDeployed(ctx context.Context, f *flags, w io.Writer) {
	text := "configuration: that of the deployed function " + a.backfillName()
	switch {
	case a.noFile:
		fmt.Fprintf(w, "%s; there is no %s here, so the function has the default name\n", text, f.config)
	case f.terminal(w):
		c, err := a.deployedConfig(ctx)
		if err != nil {
			f.say(w, text+"; not compared with "+f.config+": "+oneLine(err.Error()))
			return
		}
		f.say(w, text+a.compared(c, a.config))
	}
}

// compared says whether the local configuration differs from the deployed one.
func (a *account) compared(deployed, local config.Config) string {
	if a.noFile {
		return ""
	}
	differences := deployed.Facts().Differences(local.Facts())
	switch len(differences) {
	case 0:
		return ", which is that of the local file"
	case 1:
		return "; the local file differs in 1 value: see relight config"
	}
	return fmt.Sprintf("; the local file differs in %d values: see relight config", len(differences))
}

// say writes a line to a terminal, and nothing to anything else.
func (f *flags) say(w io.Writer, line string) {
	if f.terminal(w) {
		fmt.Fprintln(w, line)
	}
}
