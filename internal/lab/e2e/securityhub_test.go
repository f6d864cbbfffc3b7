package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
)

// TestSecurityHub publishes audits while the functions receive no events. Where Security
// Hub is not enabled the function fails, and says what to do. Then each check is a finding:
// archived while it passes, and active while it does not.
func TestSecurityHub(t *testing.T) {
	s := shared
	s.drain(t)
	s.listening(t, false)
	defer s.listening(t, true)
	defer s.purge(t)
	hub := securityhub.NewFromConfig(s.Cloud.Root().Config(lab.Region))

	out, err := s.root.Lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(s.name(catalog.Auditor))})
	if err != nil {
		t.Fatal(err)
	}
	if out.FunctionError == nil || !strings.Contains(string(out.Payload), "enable-security-hub --region "+lab.Region) {
		t.Errorf("where Security Hub is not enabled, the function answers %s", out.Payload)
	}
	if _, err := hub.EnableSecurityHub(t.Context(), &securityhub.EnableSecurityHubInput{}); err != nil {
		t.Fatal(err)
	}

	publish := func(step string, broken ...string) {
		t.Helper()
		var res struct{ Findings, Imported, Active int }
		if err := json.Unmarshal(s.invoke(t, catalog.Auditor, nil), &res); err != nil {
			t.Fatal(err)
		}
		archived, active := 0, []string{}
		for p := securityhub.NewGetFindingsPaginator(hub, &securityhub.GetFindingsInput{MaxResults: aws.Int32(100)}); p.HasMorePages(); {
			page, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range page.Findings {
				switch {
				case f.RecordState == types.RecordStateArchived && f.Compliance.Status == types.ComplianceStatusPassed:
					archived++
				case f.RecordState == types.RecordStateActive && f.Compliance.Status == types.ComplianceStatusFailed && f.Workflow.Status == types.WorkflowStatusNew:
					active = append(active, strings.TrimPrefix(aws.ToString(f.GeneratorId), "relight/"))
				default:
					t.Errorf("%s: %s is %s, %s and %s", step, aws.ToString(f.Id), f.RecordState, f.Compliance.Status, f.Workflow.Status)
				}
			}
		}
		if strings.Join(active, " ") != strings.Join(broken, " ") || res.Active != len(broken) || archived+len(active) != res.Findings || res.Imported != res.Findings || archived < 15 {
			t.Errorf("%s: %+v, %d archived, active %v, want %v", step, res, archived, active, broken)
		}
	}
	publish("healthy")
	attack("monitoring DisableAlarmActions, one")(t, s.Customer.Intruder.In(lab.Region))
	publish("broken", "cloudtrail-changes")
	s.invoke(t, catalog.Backfill, map[string]any{})
	publish("restored")
}
