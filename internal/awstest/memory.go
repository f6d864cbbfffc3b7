package awstest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Maximum length of a parameter's value in characters, by tier. Source: AWS
// Systems Manager User Guide, "Managing parameter tiers".
const (
	standardValue = 4096
	advancedValue = 8192
)

// keptVersions is how many versions a parameter keeps. Source: AWS Systems Manager
// API Reference, PutParameter, ParameterMaxVersionLimitExceeded.
const keptVersions = 100

// A parameter is the versions of a parameter of Systems Manager, the oldest first.
type parameter []types.ParameterHistory

// getParameter returns a parameter.
func getParameter(c *request, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	p, ok := c.params[*in.Name]
	if !ok {
		return nil, refuse("ParameterNotFound", "")
	}
	newest := p[len(p)-1]
	return &ssm.GetParameterOutput{Parameter: &types.Parameter{Name: in.Name, Value: newest.Value, Type: newest.Type, Version: newest.Version}}, nil
}

// getParameterHistory lists the versions of a parameter. Source: AWS Systems Manager
// API Reference, GetParameterHistory.
func getParameterHistory(c *request, in *ssm.GetParameterHistoryInput) (*ssm.GetParameterHistoryOutput, error) {
	p, ok := c.params[*in.Name]
	if !ok {
		return nil, refuse("ParameterNotFound", "")
	}
	versions := map[string]types.ParameterHistory{}
	for _, v := range p {
		if c.doubts(authorIsSession) {
			v.LastModifiedUser = aws.String(issuer(*v.LastModifiedUser))
		}
		versions[fmt.Sprintf("%09d", v.Version)] = v
	}
	out, next, err := paged(c, page{token: in.NextToken, ask: in.MaxResults, least: 1, most: 50, usual: 50, limit: "ValidationException", bad: "InvalidNextToken"}, versions)
	return &ssm.GetParameterHistoryOutput{Parameters: out, NextToken: next}, err
}

// putParameter writes a parameter. It refuses an existing parameter unless the
// request allows overwriting it, and a long value unless the tier supports it.
// Source: AWS Systems Manager API Reference, PutParameter.
func putParameter(c *request, in *ssm.PutParameterInput) error {
	name, value := *in.Name, *in.Value
	p, exists := c.params[name]
	most := standardValue
	if in.Tier == types.ParameterTierAdvanced || in.Tier == types.ParameterTierIntelligentTiering {
		most = advancedValue
	}
	switch {
	case exists && !aws.ToBool(in.Overwrite):
		return refuse("ParameterAlreadyExists", "the parameter already exists")
	case exists && len(in.Tags) > 0:
		return refuse("ValidationException", "tags and overwrite can't be used together")
	case value == "" || !exists && in.Type == "":
		return refuse("ValidationException", "a value and a type are required")
	case len(value) > most:
		return refuse("ValidationException", "the value is longer than %d characters", most)
	case len(p) == keptVersions && len(p[0].Labels) > 0:
		return refuse("ParameterMaxVersionLimitExceeded", "the oldest version has a label")
	}
	v := types.ParameterHistory{Name: in.Name, Value: in.Value, Type: in.Type, Version: 1, LastModifiedUser: aws.String(c.caller), LastModifiedDate: aws.Time(c.now())}
	if exists {
		v.Type, v.Version = p[len(p)-1].Type, p[len(p)-1].Version+1
	}
	p = append(slices.Clone(p), v)
	c.params[name] = p[max(0, len(p)-keptVersions):]
	c.wrote(name)
	return nil
}

// labelParameterVersion moves labels to a version. Source: AWS Systems Manager API
// Reference, LabelParameterVersion.
func labelParameterVersion(c *request, in *ssm.LabelParameterVersionInput) (*ssm.LabelParameterVersionOutput, error) {
	p, ok := c.params[*in.Name]
	if !ok {
		return nil, refuse("ParameterNotFound", "")
	}
	i := len(p) - 1
	if in.ParameterVersion != nil {
		i = slices.IndexFunc(p, func(v types.ParameterHistory) bool { return v.Version == *in.ParameterVersion })
	}
	if i < 0 {
		return nil, refuse("ParameterVersionNotFound", "")
	}
	p = slices.Clone(p)
	for j := range p {
		p[j].Labels = slices.DeleteFunc(slices.Clone(p[j].Labels), func(l string) bool { return slices.Contains(in.Labels, l) })
	}
	p[i].Labels = append(p[i].Labels, in.Labels...)
	c.params[*in.Name] = p
	c.wrote(*in.Name)
	return &ssm.LabelParameterVersionOutput{ParameterVersion: p[i].Version}, nil
}

// deleteParameter removes a parameter with all of its versions.
func deleteParameter(c *request, in *ssm.DeleteParameterInput) error {
	if _, ok := c.params[*in.Name]; !ok {
		return refuse("ParameterNotFound", "")
	}
	delete(c.params, *in.Name)
	c.wrote(*in.Name)
	return nil
}

// memoryOperations are the operations that this file answers.
var memoryOperations = []operation{
	handle(getParameter),
	handle(getParameterHistory),
	handle(labelParameterVersion),
	act[ssm.PutParameterOutput](putParameter),
	act[ssm.DeleteParameterOutput](deleteParameter),
}

// issuer returns the role of a session's ARN; of any other, the ARN itself.
func issuer(caller string) string {
	at, err := arn.Parse(caller)
	role, session := strings.CutPrefix(at.Resource, "assumed-role/")
	if err != nil || !session {
		return caller
	}
	at.Service, at.Resource = "iam", "role/"+role[:strings.Index(role, "/")]
	return at.String()
}
