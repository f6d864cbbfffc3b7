package awsio

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/plan"
)

// Every field that Lambda shows of a function counts, whatever it is, except for those
// that do not belong to what a function consists of.
func TestEveryFieldCounts(t *testing.T) {
	fields := reflect.VisibleFields(reflect.TypeFor[types.FunctionConfiguration]())
	seen := map[string]bool{}
	for _, f := range fields {
		if !f.IsExported() {
			continue
		}
		seen[f.Name] = true
		var c types.FunctionConfiguration
		fill(reflect.ValueOf(&c).Elem().FieldByIndex(f.Index))
		if counts, want := len(settings(&c)) > 0, !slices.Contains(notSettings, f.Name); counts != want {
			t.Errorf("%s counts: %t, want %t", f.Name, counts, want)
		}
	}
	for _, name := range notSettings {
		if !seen[name] {
			t.Errorf("Lambda shows no %s", name)
		}
	}
}

// fill sets a value, and everything in it, to something that is not empty.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf("value"))
	case reflect.String:
		v.SetString("value")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	}
}

// Lambda may show an empty setting or leave it out. Anything else makes a difference, in
// the settings that it is about and in no other.
func TestSettings(t *testing.T) {
	function := func() *types.FunctionConfiguration {
		return &types.FunctionConfiguration{
			CodeSha256: aws.String("code"), Role: aws.String("role"), Timeout: aws.Int32(60), Layers: []types.Layer{{Arn: aws.String("one")}, {Arn: aws.String("two")}},
			Environment: &types.EnvironmentResponse{Variables: map[string]string{"TOPIC": "secret", "EMPTY": ""}},
		}
	}
	many := map[string]string{"TOPIC": "secret"}
	for i := range mostVariables {
		many["V"+strconv.Itoa(i)] = "v"
	}
	for name, tt := range map[string]struct {
		change func(*types.FunctionConfiguration)
		differ []string
	}{
		"nothing": {func(*types.FunctionConfiguration) {}, nil},
		"shown empty": {func(c *types.FunctionConfiguration) {
			c.KMSKeyArn, c.Description, c.VpcConfig, c.FileSystemConfigs = aws.String(""), aws.String(""), &types.VpcConfigResponse{SubnetIds: []string{}, VpcId: aws.String("")}, []types.FileSystemConfig{}
		}, nil},
		"busy, with a newer runtime": {func(c *types.FunctionConfiguration) {
			c.LastUpdateStatus, c.State, c.RevisionId = types.LastUpdateStatusInProgress, types.StatePending, aws.String("other")
			c.RuntimeVersionConfig = &types.RuntimeVersionConfig{RuntimeVersionArn: aws.String("other")}
		}, nil},
		"code":              {func(c *types.FunctionConfiguration) { c.CodeSha256 = aws.String("other") }, []string{"CodeSha256"}},
		"layers in turn":    {func(c *types.FunctionConfiguration) { slices.Reverse(c.Layers) }, []string{"Layers"}},
		"no layers":         {func(c *types.FunctionConfiguration) { c.Layers = nil }, []string{"Layers"}},
		"a key":             {func(c *types.FunctionConfiguration) { c.KMSKeyArn = aws.String("key") }, []string{"KMSKeyArn"}},
		"a variable":        {func(c *types.FunctionConfiguration) { c.Environment.Variables["TOPIC"] = "other" }, []string{"Environment.TOPIC"}},
		"an empty variable": {func(c *types.FunctionConfiguration) { delete(c.Environment.Variables, "EMPTY") }, []string{"Environment.EMPTY"}},
		"no environment":    {func(c *types.FunctionConfiguration) { c.Environment = nil }, []string{"Environment.EMPTY", "Environment.TOPIC"}},
		"an environment that cannot be read": {func(c *types.FunctionConfiguration) {
			c.Environment = &types.EnvironmentResponse{Error: &types.EnvironmentError{ErrorCode: aws.String("AccessDeniedException")}}
		}, []string{"Environment", "Environment.EMPTY", "Environment.TOPIC"}},
		"very many variables": {func(c *types.FunctionConfiguration) { c.Environment.Variables = many }, []string{"Environment", "Environment.EMPTY", "Environment.TOPIC"}},
	} {
		t.Run(name, func(t *testing.T) {
			now := function()
			tt.change(now)
			before, after := settings(function()), settings(now)
			var differ []string
			for setting := range merge(before, after) {
				if before[setting] != after[setting] {
					differ = append(differ, setting)
				}
			}
			slices.Sort(differ)
			if diff := cmp.Diff(tt.differ, differ); diff != "" {
				t.Errorf("differ (-want +got):\n%s", diff)
			}
			for setting, mark := range after {
				if strings.Contains(mark, "secret") {
					t.Errorf("%s shows its value: %s", setting, mark)
				}
			}
		})
	}
	if got := settings(nil); len(got) != 0 {
		t.Errorf("settings of nothing: %v", got)
	}
}

func merge(a, b plan.Settings) plan.Settings {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// Times are read as Lambda writes them. Any other is no time at all.
func TestFunctionModified(t *testing.T) {
	at := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]int64{
		"2026-03-03T12:00:00.000+0000": at.UnixMilli(), "2026-03-03T12:00:00.250+0000": at.UnixMilli() + 250, "2026-03-03T14:00:00+0200": at.UnixMilli(),
		"": 0, "yesterday": 0,
	} {
		got := functionState(&lambda.GetFunctionOutput{Configuration: &types.FunctionConfiguration{LastModified: aws.String(text)}})
		if got.Modified != want || got.Reserved != nil {
			t.Errorf("%q is %v, want %v", text, got.Modified, want)
		}
	}
}
