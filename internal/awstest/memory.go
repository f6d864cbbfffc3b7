package awstest

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Most characters of a parameter's value by tier. Source: AWS Systems Manager
// User Guide, "Managing parameter tiers".
const (
	standardValue = 4096
	advancedValue = 8192
)

func ssmRegion(opts []func(*ssm.Options)) string {
	var o ssm.Options
	for _, f := range opts {
		f(&o)
	}
	return o.Region
}

// GetParameter returns a parameter.
func (a *Account) GetParameter(ctx context.Context, in *ssm.GetParameterInput, opts ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	const op = "GetParameter"
	r, end, err := a.begin(ctx, op, ssmRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	value, ok := r.params[aws.ToString(in.Name)]
	if !ok {
		return nil, refuse(op, "ParameterNotFound", "")
	}
	return &ssm.GetParameterOutput{Parameter: &types.Parameter{Name: in.Name, Value: aws.String(value), Type: types.ParameterTypeString}}, nil
}

// PutParameter writes a parameter; one that exists only if it may be
// overwritten, and a long one only in a tier that takes it. Source: AWS Systems
// Manager API Reference, PutParameter.
func (a *Account) PutParameter(ctx context.Context, in *ssm.PutParameterInput, opts ...func(*ssm.Options)) (*ssm.PutParameterOutput, error) {
	const op = "PutParameter"
	r, end, err := a.begin(ctx, op, ssmRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name, value := aws.ToString(in.Name), aws.ToString(in.Value)
	_, exists := r.params[name]
	most := standardValue
	if in.Tier == types.ParameterTierAdvanced || in.Tier == types.ParameterTierIntelligentTiering {
		most = advancedValue
	}
	switch {
	case exists && !aws.ToBool(in.Overwrite):
		return nil, refuse(op, "ParameterAlreadyExists", "the parameter already exists")
	case exists && len(in.Tags) > 0:
		return nil, refuse(op, "ValidationException", "tags and overwrite can't be used together")
	case value == "" || !exists && in.Type == "":
		return nil, refuse(op, "ValidationException", "a value and a type are required")
	case len(value) > most:
		return nil, refuse(op, "ValidationException", "the value is longer than %d characters", most)
	}
	r.params[name] = value
	a.wrote(op, r, name)
	return &ssm.PutParameterOutput{}, nil
}

// DeleteParameter removes a parameter.
func (a *Account) DeleteParameter(ctx context.Context, in *ssm.DeleteParameterInput, opts ...func(*ssm.Options)) (*ssm.DeleteParameterOutput, error) {
	const op = "DeleteParameter"
	r, end, err := a.begin(ctx, op, ssmRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if _, ok := r.params[aws.ToString(in.Name)]; !ok {
		return nil, refuse(op, "ParameterNotFound", "")
	}
	delete(r.params, aws.ToString(in.Name))
	a.wrote(op, r, aws.ToString(in.Name))
	return &ssm.DeleteParameterOutput{}, nil
}
