// Package hub imports findings into AWS Security Hub. It is apart from awsio because the
// client's serializer is a fifteenth of a function's package, and one function needs it:
// see docs/adr/0025-security-hub.md.
package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"github.com/relight-aws/relight/internal/audit/finding"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/remedy"
)

// Limits of BatchImportFindings. Sources: Security Hub API Reference, BatchImportFindings;
// Security Hub Partner Integration Guide, "Guidelines for using the BatchImportFindings
// API" (documented).
const (
	mostFindings = 100             // in a batch
	largest      = 240 * 1000      // bytes of a finding; the documents do not say which kilobyte they mean
	largestBatch = 6 * 1000 * 1000 // bytes
	envelope     = 1000            // bytes of a request that are not findings
	importOp     = "securityhub.BatchImportFindings"
)

// Import imports findings into Security Hub of a region, and returns how many it took.
// A batch that fails stops none of the others. What a successful reply refuses is an
// error too.
func Import(ctx context.Context, c *awsio.Cloud, region string, findings []finding.ASFF) (imported int, err error) {
	client := securityhub.NewFromConfig(c.ClientConfig(region))
	var errs []error
	all, tooLarge := batches(findings)
	for _, id := range tooLarge {
		errs = append(errs, fmt.Errorf("%s %s: finding %s is larger than the %d bytes that Security Hub takes", importOp, region, id, largest))
	}
	for _, batch := range all {
		out, err := client.BatchImportFindings(ctx, &securityhub.BatchImportFindingsInput{Findings: batch})
		if e, ok := errors.AsType[*remedy.Error](err); ok { // the client's error repeats the operation
			err = e
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		imported += int(aws.ToInt32(out.SuccessCount))
		errs = append(errs, refused(region, out, len(batch)))
	}
	return imported, errors.Join(errs...)
}

// refused returns the error of a successful reply that does not take every finding. One
// of the findings stands for all: what refuses one mostly refuses the others.
func refused(region string, out *securityhub.BatchImportFindingsOutput, sent int) error {
	failed := max(int(aws.ToInt32(out.FailedCount)), len(out.FailedFindings), sent-int(aws.ToInt32(out.SuccessCount)))
	if failed == 0 {
		return nil
	}
	code, message := "FailedFindings", fmt.Sprintf("%d of %d findings were not imported", failed, sent)
	if len(out.FailedFindings) > 0 {
		first := out.FailedFindings[0]
		code = aws.ToString(first.ErrorCode)
		message += fmt.Sprintf(", the first is %s: %s", aws.ToString(first.Id), aws.ToString(first.ErrorMessage))
	}
	// Of a region in which Security Hub is not enabled, the user guide says that each finding
	// fails with InvalidAccess, and the API reference that the call does. Source: Security Hub
	// User Guide, "BatchImportFindings for finding providers", prerequisites.
	if code == "InvalidAccess" {
		code = "InvalidAccessException"
	}
	return awsio.Refused(importOp, region, code, message)
}

// batches returns the findings in batches that Security Hub takes, and the IDs of those
// that it takes in none.
func batches(findings []finding.ASFF) (all [][]types.AwsSecurityFinding, tooLarge []string) {
	var batch []types.AwsSecurityFinding
	size := envelope
	for _, f := range findings {
		raw, err := json.Marshal(f) // what the client sends, but for the order
		if err != nil || len(raw) > largest {
			tooLarge = append(tooLarge, f.ID)
			continue
		}
		if len(batch) == mostFindings || size+len(raw) > largestBatch {
			all, batch, size = append(all, batch), nil, envelope
		}
		batch, size = append(batch, convert(f)), size+len(raw)+1
	}
	if len(batch) > 0 {
		all = append(all, batch)
	}
	return all, tooLarge
}

// convert returns a finding in the SDK's types.
func convert(f finding.ASFF) types.AwsSecurityFinding {
	out := types.AwsSecurityFinding{
		SchemaVersion: aws.String(f.SchemaVersion), Id: aws.String(f.ID), ProductArn: aws.String(f.ProductARN), GeneratorId: aws.String(f.GeneratorID),
		AwsAccountId: aws.String(f.AccountID), Types: f.Types,
		CreatedAt: aws.String(f.CreatedAt), UpdatedAt: aws.String(f.UpdatedAt), LastObservedAt: aws.String(f.LastObservedAt),
		Severity: &types.Severity{Label: types.SeverityLabel(f.Severity.Label), Original: aws.String(f.Severity.Original)},
		Title:    aws.String(f.Title), Description: aws.String(f.Description),
		Compliance:  &types.Compliance{Status: types.ComplianceStatus(f.Compliance.Status), RelatedRequirements: f.Compliance.RelatedRequirements},
		Workflow:    &types.Workflow{Status: types.WorkflowStatus(f.Workflow.Status)},
		RecordState: types.RecordState(f.RecordState),
		FindingProviderFields: &types.FindingProviderFields{
			Severity: &types.FindingProviderSeverity{
				Label: types.SeverityLabel(f.FindingProviderFields.Severity.Label), Original: aws.String(f.FindingProviderFields.Severity.Original),
			},
			Types: f.FindingProviderFields.Types,
		},
	}
	if len(f.ProductFields) > 0 { // the client sends an empty map, and relight's findings leave it out
		out.ProductFields = f.ProductFields
	}
	if r := f.Remediation; r != nil {
		out.Remediation = &types.Remediation{Recommendation: &types.Recommendation{Text: aws.String(r.Recommendation.Text), Url: aws.String(r.Recommendation.URL)}}
	}
	for _, r := range f.Resources {
		out.Resources = append(out.Resources, types.Resource{Type: aws.String(r.Type), Id: aws.String(r.ID), Partition: types.Partition(r.Partition), Region: aws.String(r.Region)})
	}
	return out
}
