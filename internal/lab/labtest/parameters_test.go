package labtest

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/relight-aws/relight/internal/lab"
)

// A parameter keeps 100 versions, each with its author, unless a label holds the
// oldest.
func TestParameterHistory(t *testing.T) {
	name := aws.String("/history/of/a/parameter")
	c := ssm.NewFromConfig(config(lab.Region))
	put := func(value string) error {
		_, err := c.PutParameter(t.Context(), &ssm.PutParameterInput{Name: name, Value: &value, Type: types.ParameterTypeString, Overwrite: aws.Bool(true)})
		return err
	}
	for i := range 101 {
		must(t, put(strconv.Itoa(i)))
	}
	out, err := c.GetParameterHistory(t.Context(), &ssm.GetParameterHistoryInput{Name: name})
	must(t, err)
	if oldest := out.Parameters[0]; len(out.Parameters) != 50 || oldest.Version != 2 || *oldest.LastModifiedUser != "arn:aws:iam::"+lab.Account+":root" {
		t.Errorf("%d versions, the oldest %d by %s", len(out.Parameters), oldest.Version, *oldest.LastModifiedUser)
	}
	_, err = c.LabelParameterVersion(t.Context(), &ssm.LabelParameterVersionInput{Name: name, ParameterVersion: aws.Int64(2), Labels: []string{"held"}})
	must(t, err)
	wantCode(t, put("x"), "ParameterMaxVersionLimitExceeded")
}
