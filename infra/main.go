// The CDK app reads the configuration from the context key "relight" and
// synthesizes the stacks. The CDK CLI runs it, as cdk.json says.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/infra/stack"
	"github.com/relight-aws/relight/internal/version"
)

func main() {
	if err := run(os.Getenv); err != nil {
		fmt.Fprintf(os.Stderr, "\nrelight: %v\n\n", err)
		os.Exit(1)
	}
}

func run(getenv func(string) string) error {
	if _, err := exec.LookPath("node"); err != nil {
		return errors.New("the CDK needs Node.js 20 or later on PATH")
	}
	arch, err := stack.ParseArch(getenv("RELIGHT_ARCH"))
	if err != nil {
		return fmt.Errorf("RELIGHT_ARCH: %w", err)
	}
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	c, err := decode(app.Node().TryGetContext(jsii.String("relight")))
	if err != nil {
		return err
	}
	if err := repeatedKeys("cdk.json"); err != nil {
		return err
	}
	home, from, err := homeRegion(c, getenv)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "relight: home region %s, from %s\n", home, from)
	code, err := os.MkdirTemp("", "relight-code-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(code) // synthesis copies what it needs
	if err := stack.Stage(code, "build/"+string(arch), c, arch); err != nil {
		return err
	}
	stack.Add(app, stack.Props{Config: c, Home: home, Code: code, Arch: arch, Version: version.String()})
	app.Synth(nil)
	return nil
}
