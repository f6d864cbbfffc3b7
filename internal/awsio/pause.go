package awsio

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// PauseVersions reads every version of the parameter that pauses relight, with its author:
// none if there is no such parameter. Sources: as of recall.
func (c *Cloud) PauseVersions(ctx context.Context, region string) ([]remedy.PauseVersion, error) {
	r := c.home(region)
	var versions []remedy.PauseVersion
	in := &ssm.GetParameterHistoryInput{Name: aws.String(r.Want.PauseParameter()), MaxResults: aws.Int32(historyPage)}
	for page, err := range pages(ctx, ssm.NewGetParameterHistoryPaginator(r.ssm(), in)) {
		switch {
		case remedy.ClassOf(err) == remedy.Missing:
			return nil, nil
		case err != nil:
			return nil, bare(err)
		}
		for _, v := range page.Parameters {
			versions = append(versions, remedy.PauseVersion{Version: v.Version, Text: aws.ToString(v.Value), By: aws.ToString(v.LastModifiedUser), At: aws.ToTime(v.LastModifiedDate)})
		}
	}
	return versions, nil
}

// Paused returns the pause that is in force at the time of the Cloud's clock, or nil, and what a person should know of it.
// If it cannot be read, nothing is paused.
func (c *Cloud) Paused(ctx context.Context, region string) (*remedy.Pause, []plan.Finding) {
	versions, err := c.PauseVersions(ctx, region)
	if err != nil {
		return nil, []plan.Finding{plan.NewFinding(plan.PauseUnread, plan.Args{"parameter": c.Want.PauseParameter(), "error": lasting(err)})}
	}
	return remedy.PauseOf(c.Want, versions, c.Now())
}

// StartSweep makes the sweep's function sweep everything, as the schedule does, and does
// not wait for it.
func (c *Cloud) StartSweep(ctx context.Context, region string) error {
	_, err := c.home(region).lambda().Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String(c.Want.FunctionName(catalog.Backfill)), Payload: []byte(c.Want.Guard.SweepInput()),
		InvocationType: lambdatypes.InvocationTypeEvent,
	})
	return bare(err)
}
