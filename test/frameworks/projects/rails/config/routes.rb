Rails.application.routes.draw do
  root "words#index"
  post "/words", to: "words#create"
end
