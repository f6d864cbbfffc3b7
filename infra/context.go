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

// repeatedKeys returns an error for the keys that the configuration in a cdk.json has
// twice. The CDK reads the last of them and does not say so. There need not be a file.
func repeatedKeys(file string) error {
	if err := config.Repeated(file); err != nil {
		return fmt.Errorf("the configuration in %s is not valid:\n%w", file, err)
	}
	return nil
}

// fallback is the region that the CDK CLI reports if neither the environment
// nor the AWS profile has one. Source: aws-cdk-cli, awscli-compatible.ts.
const fallback = "us-east-1"

// homeRegion returns the configured home region and where it comes from. If
// none is configured, it returns the region that the CDK CLI takes from the
// environment and the AWS profile. It accepts the CLI's fallback only if the
// environment names it, because the CLI does not say whether it found a region.
func homeRegion(c config.Config, getenv func(string) string) (region, from string, err error) {
	if c.HomeRegion != "" {
		return c.HomeRegion, "homeRegion", nil
	}
	variables := []string{"AWS_REGION", "AMAZON_REGION", "AWS_DEFAULT_REGION", "AMAZON_DEFAULT_REGION"} // those that the CLI reads, in its order
	region, from = getenv("CDK_DEFAULT_REGION"), "the AWS profile"
	for _, v := range variables {
		if value := getenv(v); value != "" && (region == "" || region == value) {
			region, from = value, v
			break
		}
	}
	if region == "" || region == fallback && from == "the AWS profile" {
		return "", "", errors.New("no home region: set homeRegion in the configuration, or AWS_REGION, to the home region of the account's trail")
	}
	if err := c.CheckHome(region); err != nil {
		return "", "", fmt.Errorf("the configuration does not fit the home region %s (from %s):\n%w", region, from, err)
	}
	return region, from, nil
}
