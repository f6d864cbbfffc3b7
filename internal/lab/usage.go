package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// A Usage is what the tap saw a role call, as IAM actions.
type Usage struct {
	Used    map[string]bool
	Allowed map[string]bool   // at least once
	Refused map[string]string // error code by action, of those that were refused at least once
}

// APIDate is the end of the names that Lambda's calls have in records.
var APIDate = regexp.MustCompile(`\d{8}(v\d)?$`)

// UsageOf returns the usage in calls.
func UsageOf(calls []tap.Call) Usage {
	u := Usage{map[string]bool{}, map[string]bool{}, map[string]string{}}
	for _, c := range calls {
		action := ActionOf(c)
		if u.Used[action] = true; Denied(c) {
			u.Refused[action] = c.ErrorCode
		} else {
			u.Allowed[action] = true
		}
	}
	return u
}

// ActionOf returns the IAM action of a call.
func ActionOf(c tap.Call) string {
	if strings.HasSuffix(c.Operation, "/invocations") { // a data event, which the tap lists by its path
		return "lambda:InvokeFunction"
	}
	prefix := c.Service
	if prefix == "monitoring" { // the signing name of CloudWatch
		prefix = "cloudwatch"
	}
	return APIDate.ReplaceAllString(prefix+":"+c.Operation, "")
}

// Denied reports whether IAM, or the policy of a resource, refused a call.
func Denied(c tap.Call) bool {
	return strings.Contains(c.ErrorCode, "Denied") || strings.Contains(c.ErrorCode, "Unauthorized") || strings.Contains(c.ErrorCode, "AuthorizationError")
}

// Actions returns the actions of grants.
func Actions(grants []catalog.Grant) map[string]bool {
	actions := map[string]bool{}
	for _, g := range grants {
		for _, action := range g.Actions {
			actions[action] = true
		}
	}
	return actions
}

// Unexplained returns the actions of grants that were not used, and of which the grants say
// neither what checks them nor what they are for.
func (u Usage) Unexplained(grants []catalog.Grant) (actions []string) {
	for _, g := range grants {
		for _, action := range g.Actions {
			_, name, _ := strings.Cut(action, ":")
			if !u.Used[action] && !strings.Contains(g.Why, name+" is checked") && !strings.Contains(g.Why, name+" is for") {
				actions = append(actions, action)
			}
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// Granted returns the actions that the policies on a role of the session's account allow.
func (s *Session) Granted(ctx context.Context, role string) (map[string]bool, error) {
	inline, err := s.IAM.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		return nil, err
	}
	var documents []string
	for _, name := range inline.PolicyNames {
		document, err := s.rolePolicy(ctx, role, name)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	attached, err := s.IAM.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	if err != nil {
		return nil, err
	}
	for _, p := range attached.AttachedPolicies {
		is, err := s.IAM.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: p.PolicyArn})
		if err != nil {
			return nil, err
		}
		of, err := s.IAM.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: p.PolicyArn, VersionId: is.Policy.DefaultVersionId})
		if err != nil {
			return nil, err
		}
		document, err := url.QueryUnescape(aws.ToString(of.PolicyVersion.Document))
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	actions := map[string]bool{}
	for _, text := range documents {
		var policy struct {
			Statement []struct {
				Effect string
				Action any
			}
		}
		if err := json.Unmarshal([]byte(text), &policy); err != nil {
			return nil, fmt.Errorf("read a policy of role %s: %w", role, err)
		}
		for _, st := range policy.Statement {
			if st.Effect != "Allow" {
				continue
			}
			many, is := st.Action.([]any)
			if !is {
				many = []any{st.Action}
			}
			for _, action := range many {
				actions[fmt.Sprint(action)] = true
			}
		}
	}
	return actions, nil
}
