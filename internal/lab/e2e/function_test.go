package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/plan"
)

// TestFunctionChanged changes the guard's function while no event about that reaches
// anybody. The next sweep says what was changed, until it is put back.
func TestFunctionChanged(t *testing.T) {
	s := shared
	s.drain(t)
	s.listening(t, false)
	defer s.listening(t, true)
	defer s.purge(t)
	intruder := s.Customer.Intruder.In(lab.Region)
	name := aws.String(s.name(catalog.Function(catalog.Guard)))
	was, err := s.root.Lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: name})
	if err != nil {
		t.Fatal(err)
	}
	code := download(t, aws.ToString(was.Code.Location))
	put := func(who *lambda.Client, in lambda.UpdateFunctionConfigurationInput) {
		t.Helper()
		in.FunctionName = name
		if _, err := who.UpdateFunctionConfiguration(t.Context(), &in); err != nil {
			t.Fatal(err)
		}
	}
	s.finds(t) // a sweep has seen the function

	variables := map[string]string{"HTTPS_PROXY": "https://198.51.100.7"}
	for name, value := range was.Configuration.Environment.Variables {
		variables[name] = value
	}
	put(intruder.Lambda, lambda.UpdateFunctionConfigurationInput{Timeout: aws.Int32(3), Environment: &types.Environment{Variables: variables}})
	s.finds(t, "Timeout, environment variable HTTPS_PROXY")

	if _, err := intruder.Lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: name, ZipFile: bootstrap(t, "#!/bin/sh\n")}); err != nil {
		t.Fatal(err)
	}
	s.purge(t)
	s.finds(t, "Timeout, code, environment variable HTTPS_PROXY")

	if _, err := s.root.Lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: name, ZipFile: code}); err != nil {
		t.Fatal(err)
	}
	put(s.root.Lambda, lambda.UpdateFunctionConfigurationInput{
		Timeout: was.Configuration.Timeout, Environment: &types.Environment{Variables: was.Configuration.Environment.Variables},
	})
	s.finds(t)
}

// finds sweeps, and checks what the sweep says was changed of functions.
func (s stage) finds(t *testing.T, want ...string) {
	t.Helper()
	var sweep struct {
		Reports []struct {
			Findings []struct{ Code, Subject, Problem string }
		}
	}
	if err := json.Unmarshal(s.invoke(t, catalog.Backfill, map[string]any{}), &sweep); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range sweep.Reports {
		for _, f := range r.Findings {
			if f.Code == string(plan.GuardFunctionChanged) && f.Subject == "function "+s.name(catalog.Function(catalog.Guard)) {
				got = append(got, f.Problem[strings.LastIndex(f.Problem, ": ")+2:])
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("changed %q, want %q", got, want)
	}
}

// download returns what is at an address.
func download(t *testing.T, address string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, res.Status, err)
	}
	return raw
}

// bootstrap returns a deployment package with one program.
func bootstrap(t *testing.T, program string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	f, err := w.Create("bootstrap")
	if err == nil {
		_, err = io.WriteString(f, program)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
