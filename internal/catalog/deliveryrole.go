package catalog

import (
	"encoding/json"
	"strings"
)

// FlowLogService is the service that delivers flow logs, as roles trust it.
const FlowLogService = "vpc-flow-logs.amazonaws.com"

// DeliveryPolicy is the name of the delivery role's inline policy.
const DeliveryPolicy = "deliver"

// InFlowLogGroup is a placeholder of DeliveryGrants: FlowLogSpec.LogGroup.
const InFlowLogGroup = "${flow-log-group}"

// DeliveryTrust is when the delivery role may be assumed by FlowLogService:
// for flow logs of this account, in any region. Source: Amazon VPC User Guide,
// "IAM role for publishing flow logs to CloudWatch Logs".
func DeliveryTrust() map[string]map[string]string {
	return map[string]map[string]string{
		"StringEquals": {"aws:SourceAccount": InAccount},
		"ArnLike":      {"aws:SourceArn": arn + "ec2:*:" + InAccount + ":vpc-flow-log/*"},
	}
}

// DeliveryGrants returns the statements of DeliveryPolicy.
//
// AWS's documented minimum has logs:CreateLogGroup too. It is left out: with
// it the service recreates a deleted group, without retention, before relight
// does. Source: Amazon VPC User Guide, "IAM role for publishing flow logs to
// CloudWatch Logs"; terraform-aws-vpc issues 435 and 550.
func DeliveryGrants() []Grant {
	group := arn + "logs:*:" + InAccount + ":log-group:" + InFlowLogGroup
	return []Grant{
		{
			Actions:   []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			Resources: []string{group, group + ":*"},
		},
		{
			Actions:   []string{"logs:DescribeLogGroups"},
			Resources: []string{"*"},
			Why:       "the listing is authorised as a whole. Source: Service Authorization Reference, CloudWatch Logs",
		},
	}
}

// DeliveryDescription says what the delivery role is for.
func DeliveryDescription(logGroup string) string { return "VPC flow logs deliver to " + logGroup }

// A DeliveryRoleSpec is what the role with which relight's flow logs deliver
// has to be. The stack makes it from the same data.
type DeliveryRoleSpec struct {
	ARN         string // "" where nothing is deployed
	Path        string // "/" for none
	Name        string
	Description string
	Trust       string  // policy document
	Policy      string  // document of DeliveryPolicy
	Grants      []Grant // what Policy allows, placeholders filled in
	Boundary    string  // ARN of its permissions boundary; "" for none
	Tags        map[string]string
}

// DeliveryRole returns what is wanted of the delivery role.
func (p Policy) DeliveryRole() DeliveryRoleSpec {
	parts := strings.SplitN(p.FlowLogs.DeliveryRole, ":", 6) // arn:partition:iam::account:role/path/name
	if len(parts) < 6 {
		return DeliveryRoleSpec{}
	}
	values := map[string]string{InPartition: parts[1], InAccount: parts[4], InFlowLogGroup: p.FlowLogs.LogGroup}
	path := strings.TrimPrefix(parts[5], "role")
	cut := strings.LastIndex(path, "/") + 1
	role := DeliveryRoleSpec{
		ARN: p.FlowLogs.DeliveryRole, Path: path[:cut], Name: path[cut:],
		Description: DeliveryDescription(p.FlowLogs.LogGroup),
		Boundary:    p.Boundary, Tags: p.Tags,
	}
	role.Trust = document(map[string]any{
		"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": FlowLogService},
		"Condition": ExpandConditions(DeliveryTrust(), values),
	})
	var statements []any
	for _, g := range DeliveryGrants() {
		filled := Grant{Actions: g.Actions}
		for _, r := range g.Resources {
			filled.Resources = append(filled.Resources, Expand(r, values))
		}
		role.Grants = append(role.Grants, filled)
		statements = append(statements, map[string]any{"Effect": "Allow", "Action": filled.Actions, "Resource": filled.Resources})
	}
	role.Policy = document(statements...)
	return role
}

// document returns a policy document.
func document(statements ...any) string {
	raw, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil { // strings, slices and maps of them always marshal
		panic(err)
	}
	return string(raw)
}
