package awstest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Maximum length of a parameter's value in characters, by tier. Source: AWS
// Systems Manager User Guide, "Managing parameter tiers".
const (
	standardValue = 4096
	advancedValue = 8192
)

// getParameter returns a parameter.
func getParameter(c *request, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	value, ok := c.params[*in.Name]
	if !ok {
		return nil, refuse("ParameterNotFound", "")
	}
	return &ssm.GetParameterOutput{Parameter: &types.Parameter{Name: in.Name, Value: aws.String(value), Type: types.ParameterTypeString}}, nil
}

// putParameter writes a parameter. It refuses an existing parameter unless the
// request allows overwriting it, and a long value unless the tier supports it.
// Source: AWS Systems Manager API Reference, PutParameter.
func putParameter(c *request, in *ssm.PutParameterInput) error {
	name, value := *in.Name, *in.Value
	_, exists := c.params[name]
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
	}
	c.params[name] = value
	c.wrote(name)
	return nil
}

// deleteParameter removes a parameter.
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
	act[ssm.PutParameterOutput](putParameter),
	act[ssm.DeleteParameterOutput](deleteParameter),
}
