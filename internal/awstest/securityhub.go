package awstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"
)

// Limits of BatchImportFindings. Sources: Security Hub API Reference, BatchImportFindings;
// Security Hub Partner Integration Guide, "Guidelines for using the BatchImportFindings API".
const (
	findingsPerImport = 100
	largestFinding    = 240 * 1000
)

// EnableSecurityHub enables Security Hub in the home region, in which no account has it by
// itself.
func (a *Account) EnableSecurityHub() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hub = true
}

// Findings returns the findings that the home region's Security Hub has, by ID.
func (a *Account) Findings() map[string]types.AwsSecurityFinding {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.findings)
}

// importFindings keeps findings. One that exists keeps what customers may change, and is
// updated only by a newer one. Source: Security Hub User Guide, "BatchImportFindings for
// finding providers".
func importFindings(c *request, in *securityhub.BatchImportFindingsInput) (*securityhub.BatchImportFindingsOutput, error) {
	if !c.hub || c.name != c.Home {
		return nil, refuse("InvalidAccessException", "Account %s is not subscribed to AWS Security Hub", c.ID)
	}
	if n := len(in.Findings); n == 0 || n > findingsPerImport {
		return nil, refuse("InvalidInputException", "Invalid parameter 'Findings'. %d findings: from 1 to %d are accepted", n, findingsPerImport)
	}
	out := &securityhub.BatchImportFindingsOutput{SuccessCount: new(int32), FailedCount: new(int32)}
	for _, f := range in.Findings {
		id := aws.ToString(f.Id)
		if product := c.arn("securityhub", c.name, "product/"+c.ID+"/default"); aws.ToString(f.ProductArn) != product { // what IAM compares too
			return nil, refuse("AccessDeniedException", "not authorized to perform: securityhub:BatchImportFindings on resource: %s", aws.ToString(f.ProductArn))
		}
		code, why := next(c.refusals, id), "made to fail by the test"
		if code == "" {
			code, why = c.misshapen(f)
		}
		if code != "" {
			*out.FailedCount++
			out.FailedFindings = append(out.FailedFindings, types.ImportFindingsError{Id: f.Id, ErrorCode: aws.String(code), ErrorMessage: aws.String(why)})
			continue
		}
		*out.SuccessCount++
		was, exists := c.findings[id]
		if exists && !instant(f.UpdatedAt).After(instant(was.UpdatedAt)) {
			continue
		}
		if exists {
			f.Workflow, f.Note, f.UserDefinedFields, f.VerificationState = was.Workflow, was.Note, was.UserDefinedFields, was.VerificationState
			// Source: Security Hub User Guide, "Setting the workflow status of findings".
			if was.RecordState == types.RecordStateArchived && f.RecordState == types.RecordStateActive {
				f.Workflow = &types.Workflow{Status: types.WorkflowStatusNew}
			}
		}
		c.findings[id] = f
	}
	return out, nil
}

// unset matches members that are not set, which the SDK does not send.
var unset = regexp.MustCompile(`"\w+":(null|""),?`)

// misshapen returns why Security Hub does not take a finding, or "". Source: Security Hub
// User Guide, "AWS Security Finding Format (ASFF)", required attributes and their limits.
func (c *request) misshapen(f types.AwsSecurityFinding) (code, why string) {
	texts := []struct {
		name string
		text *string
		most int
	}{
		{"AwsAccountId", f.AwsAccountId, 12},
		{"CreatedAt", f.CreatedAt, 64},
		{"Description", f.Description, 1024},
		{"GeneratorId", f.GeneratorId, 512},
		{"Id", f.Id, 512},
		{"ProductArn", f.ProductArn, 2048},
		{"SchemaVersion", f.SchemaVersion, 64},
		{"Title", f.Title, 256},
		{"UpdatedAt", f.UpdatedAt, 64},
	}
	for _, t := range texts {
		if n := len([]rune(aws.ToString(t.text))); n == 0 || n > t.most {
			return invalidInput, fmt.Sprintf("finding.%s has %d characters: from 1 to %d are accepted", t.name, n, t.most)
		}
	}
	raw, err := json.Marshal(f)
	raw = unset.ReplaceAll(raw, nil)
	switch {
	case aws.ToString(f.AwsAccountId) != c.ID:
		return "InvalidAccess", "the finding is another account's"
	case *f.SchemaVersion != "2018-10-08":
		return invalidInput, "finding.SchemaVersion is not one of 2018-10-08"
	case instant(f.CreatedAt).IsZero() || instant(f.UpdatedAt).IsZero():
		return invalidInput, "finding.CreatedAt or finding.UpdatedAt is no time"
	case len(f.Resources) == 0 || len(f.Resources) > 32:
		return invalidInput, fmt.Sprintf("finding.Resources has %d entries: from 1 to 32 are accepted", len(f.Resources))
	case (f.Severity == nil || f.Severity.Label == "") && (f.FindingProviderFields == nil || f.FindingProviderFields.Severity == nil):
		return invalidInput, "finding has no severity"
	case len(f.Types) == 0 || len(f.Types) > 50 || len(f.ProductFields) > 50:
		return invalidInput, fmt.Sprintf("finding has %d types and %d product fields: up to 50 are accepted", len(f.Types), len(f.ProductFields))
	case f.RecordState != "" && f.RecordState != types.RecordStateActive && f.RecordState != types.RecordStateArchived:
		return invalidInput, "finding.RecordState is unknown"
	case err != nil || len(raw) > largestFinding:
		return invalidInput, "the finding is too large"
	}
	for _, r := range f.Resources {
		if aws.ToString(r.Type) == "" || aws.ToString(r.Id) == "" || len(*r.Id) > 512 {
			return invalidInput, "finding.Resources has an entry without a type or an ID, or with a long one"
		}
	}
	for name, value := range f.ProductFields {
		if len([]rune(name)) > 128 || len([]rune(value)) > 2048 {
			return invalidInput, "finding.ProductFields." + name + " is too long"
		}
	}
	return "", ""
}

// invalidInput is the code of a finding that does not follow the format. The name is
// assumed, and relight compares it with nothing.
const invalidInput = "InvalidInput"

// instant returns a time of a finding, or the zero time.
func instant(text *string) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, aws.ToString(text)) // zero after an error
	return at
}

var securityHubOperations = []operation{handle(importFindings)}
