require "rails"
require "action_controller/railtie"
require "action_view/railtie"

module Example
  class Application < Rails::Application
    config.load_defaults 6.1
    config.eager_load = false
    config.secret_key_base = "of a test" * 8
    config.logger = Logger.new($stdout)
    # As `rails new` writes it into config/environments/development.rb.
    config.consider_all_requests_local = true
  end
end
