package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/relight-aws/relight/internal/config"
)

// decode reads the configuration from the CDK context, which is an object if it
// comes from cdk.json and a string if it comes from "cdk -c relight=…". Its
// error lists every problem on a line of its own.
func decode(context any) (config.Config, error) {
	raw, isString := context.(string)
	if !isString && context != nil {
		b, err := json.Marshal(context)
		if err != nil {
			return config.Config{}, fmt.Errorf("context relight: %w", err)
		}
		raw = string(b)
	}
	c, err := config.Parse([]byte(raw))
	if err != nil {
		return config.Config{}, fmt.Errorf("the configuration (context.relight in cdk.json, or -c relight=…) is not valid:\n%w", err)
	}
	return c, nil
}

// homeRegion returns the configured home region. If none is configured, it
// returns the region that the CDK CLI takes from the AWS profile and
// environment.
func homeRegion(c config.Config, getenv func(string) string) (string, error) {
	if c.HomeRegion != "" {
		return c.HomeRegion, nil
	}
	if r := getenv("CDK_DEFAULT_REGION"); r != "" {
		return r, nil
	}
	return "", errors.New("no home region: set homeRegion in the configuration, or AWS_REGION, to the home region of the account's trail")
}
