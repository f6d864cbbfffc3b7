// Package prowler runs Prowler, a scanner of AWS accounts, and compares what it finds
// with what relight audit finds.
package prowler

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/catalog"
)

//go:embed requirements.txt
var requirements string

// Version returns the version of Prowler that is compared.
func Version() string {
	_, version, _ := strings.Cut(strings.TrimSpace(requirements), "==")
	return version
}

// A Question is what both find out about an account.
type Question struct {
	ID     string   // a control's, catalog.FlowLogsCheck, or the name of one link
	Checks []string // Prowler's; if there are several, each answers a part of the question

	links    []audit.Link // of relight's chains; none: the whole chain of the control
	flowLogs bool         // the chains are those of VPCs
	about    string       // the end of the names of what Prowler's findings are about; "" for any
}

// Links returns the links of relight's chains that the question is about; none if it
// is about a whole chain.
func (q Question) Links() []audit.Link { return q.links }

// The questions about links, beside those about a control or a VPC.
const (
	trail            = "trail"
	managementEvents = "management events"
	logGroup         = "log group"
	alarmActions     = "alarm actions"
	retention        = "retention of flow logs"
)

// Questions returns everything that both know.
func Questions() []Question {
	const metricFilter, and = "cloudwatch_log_metric_filter_", "cloudwatch_log_metric_filter_and_alarm_for_"
	one := func(id, check string) Question { return Question{ID: id, Checks: []string{check}} }
	return []Question{
		one("unauthorized-api-calls", metricFilter+"unauthorized_api_calls"),
		one("console-signin-without-mfa", metricFilter+"sign_in_without_mfa"),
		one("root-usage", metricFilter+"root_usage"),
		one("iam-changes", metricFilter+"policy_changes"),
		one("cloudtrail-changes", and+"cloudtrail_configuration_changes_enabled"),
		one("console-signin-failures", metricFilter+"authentication_failures"),
		one("cmk-disabled-or-deleted", metricFilter+"disable_or_scheduled_deletion_of_kms_cmk"),
		one("s3-bucket-policy-changes", metricFilter+"for_s3_bucket_policy_changes"),
		one("config-changes", and+"aws_config_configuration_changes_enabled"),
		one("security-group-changes", metricFilter+"security_group_changes"),
		one("nacl-changes", "cloudwatch_changes_to_network_acls_alarm_configured"),
		one("network-gateway-changes", "cloudwatch_changes_to_network_gateways_alarm_configured"),
		one("route-table-changes", "cloudwatch_changes_to_network_route_tables_alarm_configured"),
		one("vpc-changes", "cloudwatch_changes_to_vpcs_alarm_configured"),
		one("organizations-changes", metricFilter+"aws_organizations_changes"),
		{ID: catalog.FlowLogsCheck, Checks: []string{"vpc_flow_logs_enabled"}, flowLogs: true},
		{ID: trail, Checks: []string{"cloudtrail_multi_region_enabled"}, links: []audit.Link{audit.Trail, audit.Logging}},
		{
			ID: managementEvents, Checks: []string{"cloudtrail_multi_region_enabled_logging_management_events"},
			links: []audit.Link{audit.Trail, audit.Logging, audit.Events},
		},
		{ID: logGroup, Checks: []string{"cloudtrail_cloudwatch_logging_enabled"}, links: []audit.Link{audit.LogGroup}},
		{
			ID: alarmActions, Checks: []string{"cloudwatch_alarm_actions_enabled", "cloudwatch_alarm_actions_alarm_state_configured"},
			links: []audit.Link{audit.Actions},
		},
		{
			ID: retention, Checks: []string{"cloudwatch_log_group_retention_policy_specific_days_enabled"},
			links: []audit.Link{audit.Retention}, flowLogs: true, about: "-flow-logs",
		},
	}
}

// Controls returns the IDs of the questions about a control.
func Controls() (ids []string) {
	for _, q := range Questions() {
		if q.links == nil && !q.flowLogs {
			ids = append(ids, q.ID)
		}
	}
	return ids
}

// A Verdict is an answer to a question.
type Verdict string

// The verdicts.
const (
	Pass   Verdict = "pass"
	Fail   Verdict = "fail"
	Silent Verdict = "says nothing" // Prowler found nothing to check; relight's chains end before the link
)

// A Finding is one of Prowler's.
type Finding struct {
	Check    string
	Status   string // "PASS", "FAIL" or "MANUAL"
	Resource string // its ARN, without ":*" at the end of a log group's
}

// An Answer is what both say to a question.
type Answer struct {
	Question string  `json:"question"`
	VPC      string  `json:"-"` // of catalog.FlowLogsCheck
	Prowler  Verdict `json:"prowler"`
	Relight  Verdict `json:"relight"`
}

// Differ reports whether the two contradict each other. relight does not contradict
// what it has not reached.
func (a Answer) Differ() bool { return a.Relight != Silent && a.Prowler != a.Relight }

// Compare answers all questions: that about flow logs for each VPC of the audit, and
// the others once.
func Compare(found []Finding, rep audit.Report) (answers []Answer) {
	for _, q := range Questions() {
		if q.ID != catalog.FlowLogsCheck {
			answers = append(answers, Answer{q.ID, "", q.prowler(found), q.relight(rep.Checks)})
			continue
		}
		for _, c := range rep.Checks {
			if c.Control == q.ID {
				of := Question{ID: q.ID, Checks: q.Checks, about: "/" + c.Resource}
				answers = append(answers, Answer{q.ID, c.Resource, of.prowler(found), of.relight([]audit.Check{c})})
			}
		}
	}
	return answers
}

func (q Question) prowler(found []Finding) Verdict {
	answer := Silent
	for _, f := range found {
		switch {
		case !slices.Contains(q.Checks, f.Check) || !strings.HasSuffix(f.Resource, q.about):
		case f.Status != "PASS":
			return Fail
		default:
			answer = Pass
		}
	}
	return answer
}

func (q Question) relight(checks []audit.Check) Verdict {
	answer := Silent
	note := func(s audit.Status) {
		switch {
		case s == audit.NotReached || s == audit.NotApplicable:
		case s != audit.Pass: // unknown is not pass
			answer = Fail
		case answer == Silent:
			answer = Pass
		}
	}
	for _, c := range checks {
		switch {
		case q.links == nil:
			if c.Control == q.ID {
				note(c.Status)
			}
		case q.flowLogs && c.Control == catalog.FlowLogsCheck, !q.flowLogs && slices.Contains(Controls(), c.Control):
			for _, s := range c.Steps {
				if slices.Contains(q.links, s.Link) {
					note(s.Status)
				}
			}
		}
	}
	return answer
}

// Scan runs Prowler's part of all questions in some regions. It finds Prowler in a
// virtual environment of Python's, calls AWS with the settings of env, and writes its
// files into dir.
func Scan(ctx context.Context, venv string, env, regions []string, dir string) ([]Finding, error) {
	args := []string{
		"aws", "--ignore-exit-code-3", "--no-banner", "--no-color", "--only-logs", "--log-level", "ERROR",
		// Otherwise it skips VPCs without network interfaces.
		"--scan-unused-services",
		"--output-formats", "json-ocsf", "--output-directory", dir, "--output-filename", "scan",
	}
	args = append(append(args, "--region"), regions...)
	args = append(args, "--checks")
	for _, q := range Questions() {
		args = append(args, q.Checks...)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(venv, "bin", "prowler"), args...)
	cmd.Dir, cmd.Env = dir, append(env, "HOME="+dir) // no settings of the caller's
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("prowler: %w: %s", err, said.Bytes())
	}
	raw, err := os.ReadFile(filepath.Join(dir, "scan.ocsf.json"))
	if err != nil {
		return nil, fmt.Errorf("%w; prowler says: %s", err, said.Bytes())
	}
	found, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(said.Bytes(), []byte("ERROR")) { // it goes on after a call that failed
		return found, fmt.Errorf("prowler could not read everything: %s", said.Bytes())
	}
	return found, nil
}

// parse reads findings from Prowler's output in the Open Cybersecurity Schema Framework.
func parse(raw []byte) ([]Finding, error) {
	var doc []struct {
		Status   string `json:"status_code"`
		Metadata struct {
			Event string `json:"event_code"`
		} `json:"metadata"`
		Resources []struct{ UID string }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("read prowler's findings: %w", err)
	}
	var found []Finding
	for _, d := range doc {
		if d.Metadata.Event == "" || d.Status == "" || len(d.Resources) != 1 {
			return nil, errors.New("prowler's findings have another shape than expected")
		}
		found = append(found, Finding{d.Metadata.Event, d.Status, strings.TrimSuffix(d.Resources[0].UID, ":*")})
	}
	return found, nil
}
