package awsio

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) ssm() *ssm.Client { return client(r, ssm.NewFromConfig) }

var _ remedy.Memory = (*Cloud)(nil)

// Recall reads a parameter of Systems Manager.
func (c *Cloud) Recall(ctx context.Context, region, name string) (value string, known bool, err error) {
	return c.home(region).recall(ctx, name)
}

func (r *region) recall(ctx context.Context, name string) (value string, known bool, err error) {
	out, err := r.ssm().GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(name)})
	switch {
	case remedy.ClassOf(err) == remedy.Missing:
		return "", false, nil
	case err != nil:
		return "", false, bare(err)
	}
	return aws.ToString(out.Parameter.Value), true, nil
}

// Remember writes a parameter of Systems Manager. A value above 4 KB needs an
// advanced parameter, for which AWS charges, so Systems Manager chooses the
// tier. Source: Systems Manager API Reference, PutParameter, Tier.
func (c *Cloud) Remember(ctx context.Context, region, name, value string) error {
	return bare(c.home(region).remember(ctx, name, value))
}

func (r *region) remember(ctx context.Context, name, value string) error {
	_, err := r.ssm().PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String(name), Value: aws.String(value), Type: types.ParameterTypeString, Overwrite: aws.Bool(true),
		Tier: types.ParameterTierIntelligentTiering, Description: aws.String("What relight remembers: docs/adr/0009-memory.md"),
	})
	return err
}

func (r *region) rememberTrail(ctx context.Context, a plan.RememberTrail) error {
	return r.remember(ctx, a.Parameter, a.Memory.Encode())
}

// recallTrail returns what relight remembers of the trail. A read error that
// may pass is an error. If the memory cannot be used at all, the recollection
// says so, because most repairs do not need it.
func (r *region) recallTrail(ctx context.Context) (plan.Recollection, error) {
	text, known, err := r.recall(ctx, r.Want.TrailMemory())
	switch {
	case err != nil && remedy.ClassOf(err).Retry():
		return plan.Recollection{}, err
	case err != nil:
		return plan.Recollection{Unreadable: lasting(err)}, nil
	case !known:
		return plan.Recollection{}, nil
	}
	m, err := plan.DecodeTrailMemory(text, r.account, r.name)
	if err != nil {
		return plan.Recollection{Unreadable: err.Error()}, nil //nolint:nilerr // the recollection has it
	}
	return plan.Recollection{Trail: &m}, nil
}
