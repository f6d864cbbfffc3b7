package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/awsio/prune"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// An account is the AWS account of the environment's credentials, with what is
// deployed there.
type account struct {
	aws        aws.Config
	config     config.Config
	noFile     bool   // there is no cdk.json, so the configuration is the default one
	caller     string // ARN of whose credentials they are
	deployment catalog.Deployment
}

// connect reads the configuration, asks AWS which account the credentials
// belong to, and looks up the deployment.
func connect(ctx context.Context, f *flags) (*account, error) {
	a, err := identify(ctx, f)
	if err != nil {
		return nil, err
	}
	return a, a.findDeployment(ctx)
}

// identify is connect for a command that needs no deployment.
func identify(ctx context.Context, f *flags) (*account, error) {
	cfg, noFile, err := readConfig(f)
	if err != nil {
		return nil, err
	}
	a := &account{config: cfg, noFile: noFile}
	if a.aws, err = awsconfig.LoadDefaultConfig(ctx); err != nil {
		return nil, fmt.Errorf("read AWS settings: %w", err)
	}
	if a.aws.Region = cmp.Or(cfg.HomeRegion, a.aws.Region); a.aws.Region == "" {
		return nil, errors.New("no region: set homeRegion in the configuration, or AWS_REGION")
	}
	if err := cfg.CheckHome(a.aws.Region); err != nil {
		return nil, fmt.Errorf("the configuration does not fit the home region %s:\n%w", a.aws.Region, err)
	}
	who, err := sts.NewFromConfig(a.aws).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("no usable AWS credentials: sign in (aws sso login) or set AWS_PROFILE: %w", err)
	}
	a.caller = aws.ToString(who.Arn)
	a.deployment = catalog.Deployment{Account: aws.ToString(who.Account), HomeRegion: a.aws.Region}
	return a, nil
}

// readConfig reads the configuration. It returns the default configuration if
// there is no cdk.json, and says that there is none.
func readConfig(f *flags) (cfg config.Config, noFile bool, err error) {
	cfg, err = config.Load(f.config)
	if errors.Is(err, fs.ErrNotExist) && !f.configGiven {
		cfg, err = config.Parse(nil)
		return cfg, true, err
	}
	return cfg, false, err
}

// loadConfig is readConfig for a command that asks AWS nothing. If it returns the
// default configuration, it says so on stderr.
func loadConfig(cmd *cobra.Command, f *flags) (config.Config, error) {
	cfg, noFile, err := readConfig(f)
	if noFile {
		sayDefaults(cmd.ErrOrStderr(), f)
	}
	return cfg, err
}

// findDeployment reads the environment of the deployed backfill function, which
// has the stack's ARNs. It leaves them empty if nothing is deployed.
func (a *account) findDeployment(ctx context.Context) error {
	out, err := lambda.NewFromConfig(a.aws).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: aws.String(a.backfillName()),
	})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a deployment (needs lambda:GetFunctionConfiguration): %w", err)
	}
	if out.Environment != nil {
		a.deployment.Topic = out.Environment.Variables[catalog.EnvTopic]
		a.deployment.TopicKey = out.Environment.Variables[catalog.EnvTopicKey]
		a.deployment.DeliveryRole = out.Environment.Variables[catalog.EnvDeliveryRole]
		a.deployment.SweepRole = out.Environment.Variables[catalog.EnvSweepRole]
		a.deployment.LastResort = out.Environment.Variables[catalog.EnvLastResort]
		a.deployment.DeadLetters = config.DeadLetters(out.Environment.Variables[catalog.EnvDeadLetters])
	}
	return nil
}

func (a *account) deployed() bool { return a.deployment.Topic != "" }

func (a *account) notDeployed() error {
	return fmt.Errorf("relight is not deployed: there is no function named %s in %s; run make deploy first", a.backfillName(), a.aws.Region)
}

func (a *account) backfillName() string {
	return a.config.Desired(a.deployment).FunctionName(catalog.Backfill)
}

// app returns an App that handles every kind and sends no notifications.
func (a *account) app() *app.App { return app.NewWith(a.options()) }

func (a *account) options() app.Options {
	return app.Options{
		Function: catalog.Backfill, Kinds: awsio.AllKinds(), Config: a.config, Deployment: a.deployment,
		AWS: a.aws, Pace: &awsio.Pace{},
		Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Now: time.Now, Silent: true,
	}
}

// applying returns an App that notifies people of what it restores, like a function. A
// pruning one takes away what is no longer wanted.
func (a *account) applying(pruning bool) *app.App {
	o := a.options()
	o.Silent = false
	if pruning {
		o.Pruner = prune.Applier{Cloud: &awsio.Cloud{Config: a.aws, Want: a.config.Desired(a.deployment), Kinds: o.Kinds, Pace: o.Pace, Now: time.Now}}
	}
	return app.NewWith(o)
}
