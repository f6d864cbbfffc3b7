package awsio

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) ssm() *ssm.Client { return client(r, ssm.NewFromConfig) }

var _ remedy.Memory = (*Cloud)(nil)

// Recall reads a parameter of Systems Manager.
func (c *Cloud) Recall(ctx context.Context, region, name string) (plan.Note, error) {
	return c.memory(region).recall(ctx, name)
}

// historyPage is the largest page of GetParameterHistory. Source: AWS Systems Manager API
// Reference.
const historyPage = 50

// recall reads every version of a parameter, and with each who wrote it: only what
// the sweep's role wrote counts. A parameter keeps 100 versions. Sources: AWS Systems
// Manager API Reference, GetParameterHistory, LastModifiedUser; User Guide, "Working
// with parameter versions".
func (r *region) recall(ctx context.Context, name string) (plan.Note, error) {
	var note plan.Note
	var newest, own int64
	in := &ssm.GetParameterHistoryInput{Name: aws.String(name), MaxResults: aws.Int32(historyPage)}
	for page, err := range pages(ctx, ssm.NewGetParameterHistoryPaginator(r.ssm(), in)) {
		switch {
		case remedy.ClassOf(err) == remedy.Missing:
			return plan.Note{}, nil
		case err != nil:
			return plan.Note{}, bare(err)
		}
		for _, v := range page.Parameters {
			by := aws.ToString(v.LastModifiedUser)
			sweeps := catalog.ActsAs(by, r.Want.SweepRole)
			if v.Version > newest {
				newest, note.Foreign = v.Version, ""
				if !sweeps {
					note.Foreign = by
				}
			}
			if sweeps && v.Version > own {
				own, note.Text, note.Known, note.Written = v.Version, aws.ToString(v.Value), true, aws.ToTime(v.LastModifiedDate).UnixMilli()
			}
		}
	}
	return note, nil
}

// Remember writes a parameter of Systems Manager. A value above 4 KB needs an
// advanced parameter, for which AWS charges, so Systems Manager chooses the
// tier. Source: Systems Manager API Reference, PutParameter, Tier.
func (c *Cloud) Remember(ctx context.Context, region, name, value string) error {
	return bare(c.memory(region).remember(ctx, name, value))
}

// AWS lets an account write three parameters a second, and the hub of an organisation sweeps
// many accounts at once. So what is throttled comes again after a while, as long as the
// function has time. The rate is assumed: it is what AWS Support is quoted to have said, in
// terraform-aws-github-runner, issue 2944.
func (r *region) remember(ctx context.Context, name, value string) error {
	for try := 0; ; try++ {
		err := r.put(ctx, name, value)
		if _, throttled := retry.DefaultThrottleErrorCodes[codeOf(err)]; !throttled || try == mostTurns || !timeFor(ctx, longestTurn+unspent) {
			return err
		}
		if r.pause(ctx, rand.N(min(longestTurn, firstTurn<<try))) != nil { //nolint:gosec // it only spreads the calls
			return err
		}
	}
}

// These limit how long the sweep of an account waits to write what it remembers, besides
// what the SDK waits.
const (
	firstTurn   = 2 * time.Second // doubled with each try
	longestTurn = 20 * time.Second
	mostTurns   = 24
)

// timeFor reports whether a context has that much time left.
func timeFor(ctx context.Context, d time.Duration) bool {
	deadline, limited := ctx.Deadline()
	return !limited || time.Until(deadline) > d
}

func (r *region) put(ctx context.Context, name, value string) error {
	_, err := r.ssm().PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String(name), Value: aws.String(value), Type: types.ParameterTypeString, Overwrite: aws.Bool(true),
		Tier: types.ParameterTierIntelligentTiering, Description: aws.String("What relight remembers: docs/adr/0009-memory.md"),
	})
	return err
}

func (r *region) rememberTrail(ctx context.Context, a plan.RememberTrail) error {
	return r.memory(r.name).remember(ctx, a.Parameter, a.Memory.Encode())
}

func (r *region) restoreMemory(ctx context.Context, a plan.RestoreMemory) error {
	return r.memory(r.name).remember(ctx, a.Parameter, a.Text)
}

// RecallAdopted reads what relight relies on that others made, and the longest
// retentions that sweeps have seen. A read error that may pass is an error. For any
// other, relight relies on what the configuration names, the policy's retention has to
// do, and each sweep reports that.
func (c *Cloud) RecallAdopted(ctx context.Context, region string) (plan.Adopted, error) {
	note, err := c.Recall(ctx, region, c.Want.AdoptedMemory())
	switch {
	case err == nil:
		return plan.RecallAdopted(note), nil
	case remedy.ClassOf(err).Retry():
		return plan.Adopted{}, err
	}
	return plan.Adopted{Unreadable: lasting(err)}, nil
}

// recallTrail returns what relight remembers of the trail. A read error that
// may pass is an error. If the memory cannot be used at all, the recollection
// says so, because most repairs do not need it.
func (r *region) recallTrail(ctx context.Context) (plan.Recollection, error) {
	note, err := r.memory(r.name).recall(ctx, r.Want.TrailMemory())
	switch {
	case err != nil && remedy.ClassOf(err).Retry():
		return plan.Recollection{}, err
	case err != nil:
		return plan.Recollection{Unreadable: lasting(err)}, nil
	}
	return plan.Recollect(note, r.account, r.name), nil
}
