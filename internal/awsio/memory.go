package awsio

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// memoryAPI is what this file needs of *ssm.Client, and no more.
type memoryAPI interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
}

var (
	_ memoryAPI     = (*ssm.Client)(nil)
	_ remedy.Memory = (*Cloud)(nil)
)

// Recall reads a parameter of Systems Manager.
func (c *Cloud) Recall(ctx context.Context, region, name string) (value string, known bool, err error) {
	out, err := call(ctx, c.Pace, place{region, "ssm.GetParameter", name}, c.Clients.SSM.GetParameter,
		&ssm.GetParameterInput{Name: aws.String(name)}, ssmIn(region))
	switch {
	case remedy.ClassOf(err) == remedy.Missing:
		return "", false, nil
	case err != nil:
		return "", false, err
	}
	return aws.ToString(out.Parameter.Value), true, nil
}

// Remember writes a parameter of Systems Manager. Above 4 KB it has to be an
// advanced one, which is paid for, so the tier is left to Systems Manager.
// Source: Systems Manager API Reference, PutParameter, Tier.
func (c *Cloud) Remember(ctx context.Context, region, name, value string) error {
	_, err := call(ctx, c.Pace, place{region, "ssm.PutParameter", name}, c.Clients.SSM.PutParameter,
		&ssm.PutParameterInput{
			Name: aws.String(name), Value: aws.String(value), Type: types.ParameterTypeString, Overwrite: aws.Bool(true),
			Tier: types.ParameterTierIntelligentTiering, Description: aws.String("What relight remembers: docs/adr/0009-memory.md"),
		}, ssmIn(region))
	return err
}

// recallTrail returns what is remembered of the trail. What can be read only
// later is an error; what cannot be used at all is said in the recollection,
// since most repairs need none.
func (c *Cloud) recallTrail(ctx context.Context, s remedy.Scope) (plan.Recollection, error) {
	text, known, err := c.Recall(ctx, s.Region, c.Want.TrailMemory())
	switch {
	case err != nil && remedy.ClassOf(err).Retry():
		return plan.Recollection{}, err
	case err != nil:
		return plan.Recollection{Unreadable: err.Error()}, nil //nolint:nilerr // it says so
	case !known:
		return plan.Recollection{}, nil
	}
	m, err := plan.DecodeTrailMemory(text, s.Account, s.Region)
	if err != nil {
		return plan.Recollection{Unreadable: err.Error()}, nil //nolint:nilerr // it says so
	}
	return plan.Recollection{Trail: &m}, nil
}
