package labtest

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"github.com/relight-aws/relight/internal/lab"
)

// finding returns a finding that Security Hub takes.
func finding(id, region string) types.AwsSecurityFinding {
	return types.AwsSecurityFinding{
		Id: &id, AwsAccountId: aws.String(lab.Account), ProductArn: aws.String("arn:aws:securityhub:" + region + ":" + lab.Account + ":product/" + lab.Account + "/default"),
		SchemaVersion: aws.String("2018-10-08"), GeneratorId: aws.String("test"), Title: aws.String("t"), Description: aws.String("d"),
		CreatedAt: aws.String("2026-01-01T00:00:00Z"), UpdatedAt: aws.String("2026-03-14T09:26:53Z"), Types: []string{"Software and Configuration Checks"},
		Severity: &types.Severity{Label: types.SeverityLabelLow}, Workflow: &types.Workflow{Status: types.WorkflowStatusResolved}, RecordState: types.RecordStateArchived,
		Resources: []types.Resource{{Id: aws.String("x"), Type: aws.String("Other")}},
	}
}

// Security Hub takes findings where it is enabled, refuses some inside a successful
// reply, ignores what is not newer, and reopens what becomes active.
func TestFindings(t *testing.T) {
	const region = "ap-southeast-2"
	c := securityhub.NewFromConfig(config(region))
	add := func(findings ...types.AwsSecurityFinding) (*securityhub.BatchImportFindingsOutput, error) {
		return c.BatchImportFindings(t.Context(), &securityhub.BatchImportFindingsInput{Findings: findings})
	}
	one := finding("one", region)
	_, err := add(one)
	wantCode(t, err, "InvalidAccessException")
	_, err = c.EnableSecurityHub(t.Context(), &securityhub.EnableSecurityHubInput{})
	must(t, err)
	_, err = add(slices.Repeat([]types.AwsSecurityFinding{one}, 101)...)
	wantCode(t, err, "InvalidInputException")

	elsewhere := finding("two", "eu-west-1")
	out, err := add(one, elsewhere)
	must(t, err)
	if *out.SuccessCount != 1 || *out.FailedCount != 1 || *out.FailedFindings[0].Id != "two" || *out.FailedFindings[0].ErrorCode != "InvalidInput" {
		t.Errorf("%d taken, %d refused: %v", *out.SuccessCount, *out.FailedCount, out.FailedFindings)
	}
	for _, step := range []struct {
		at    string
		state types.RecordState
		want  types.WorkflowStatus
	}{
		{"2026-03-14T09:26:53Z", types.RecordStateArchived, types.WorkflowStatusResolved}, // not newer
		{"2026-03-14T09:26:53.001Z", types.RecordStateActive, types.WorkflowStatusNew},
	} {
		one.UpdatedAt, one.RecordState = aws.String(step.at), types.RecordStateActive
		_, err := add(one)
		must(t, err)
		got, err := c.GetFindings(t.Context(), &securityhub.GetFindingsInput{Filters: &types.AwsSecurityFindingFilters{
			Id: []types.StringFilter{{Comparison: types.StringFilterComparisonEquals, Value: aws.String("one")}},
		}})
		must(t, err)
		if len(got.Findings) != 1 || got.Findings[0].RecordState != step.state || got.Findings[0].Workflow.Status != step.want {
			t.Errorf("updated at %s: %+v", step.at, got.Findings)
		}
	}
}
